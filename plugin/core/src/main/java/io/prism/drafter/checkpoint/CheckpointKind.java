package io.prism.drafter.checkpoint;

/** Layouts of published draft models. */
public enum CheckpointKind {
    /** Our own: {@code config.json} with {@code "format": "prism"} and canonical tensor names. */
    PRISM("PRISM"),
    /** The PRISM authors' training ({@code stepModels.m.0}) or serving ({@code midlayer.m}) names. */
    PRISM_AUTHORS("PRISM (authors' names)"),
    /** EAGLE-1, EAGLE-2 and HASS, which differ in training only. */
    EAGLE("EAGLE-1/2 or HASS"),
    EAGLE3("EAGLE-3");

    private final String title;

    CheckpointKind(String title) {
        this.title = title;
    }

    /** For people. */
    public String title() {
        return title;
    }
}
