package io.prism.drafter.checkpoint;

/** How a module's transformer layer takes the token's embedding and the hidden state. */
public enum LayerKind {
    /** A fusion layer (2d to d) makes one row of both; no norm before attention, none before the head. */
    FUSION("prism"),
    /** Both are normed and side by side the input of q, k and v; own norm before the head. */
    EAGLE3("eagle3");

    private final String configName;

    LayerKind(String configName) {
        this.configName = configName;
    }

    /** Its name in {@code config.json}. */
    public String configName() {
        return configName;
    }
}
