package io.prism.config;

import java.util.Locale;

/** Every flag: its name, default, accepted values and meaning. What the command line and the documentation print. */
public enum Flag {
    ENABLED(
            "prism.enabled",
            "auto",
            "auto, true or false",
            "auto: speculate where possible, otherwise leave the engine as it is; true: fail at load if speculation is"
                    + " impossible; false: leave the engine untouched"),
    DRAFTER(
            "prism.drafter",
            "<model folder>/prism if it is there, otherwise ngram",
            "a folder, ngram or none",
            "what proposes tokens; none decodes plainly"),
    KERNELS(
            "prism.kernels",
            "auto",
            "auto, cuda, vector or scalar",
            "what computes; auto takes the best that is usable, a name forces it"),
    THREADS("prism.threads", "0", "a whole number from 0 to 1024", "threads to compute with; 0: one per physical core"),
    REPACK(
            "prism.repack",
            "true",
            "true or false",
            "copy weights into the layout the kernels read fastest; false saves the memory of that copy"),
    ACTIVATIONS(
            "prism.activations",
            "auto",
            "auto, f32 or rounded",
            "what Q4 weights are multiplied by: activations as they are, or rounded to 9 bits a block of 32, which is about 1.5"
                    + " times as fast; auto: rounded where the engine was asked to round them too (to 8 bits)"),
    TREE(
            "prism.tree",
            "auto",
            "auto, or steps,topk,nodes (three positive whole numbers, for instance 6,4,16)",
            "how much to draft and verify in a round; auto: as much as pays on this machine, which may be nothing"),
    KV_MEMORY(
            "prism.kvmemory",
            "auto",
            "auto, or a whole number of MiB of at least 1",
            "memory for the KV caches of requests that run at once, beyond which requests wait; auto: half of Java's heap"),
    TOP_P(
            "prism.topp",
            "off",
            "off, or a number above 0 and at most 1",
            "sample from the fewest tokens whose probabilities reach this sum"),
    TOP_K("prism.topk", "off", "off, or a whole number of at least 1", "sample from this many most probable tokens"),
    SEED(
            "prism.seed",
            "off",
            "off, or a whole number of 64 bits",
            "same seed, same text; off: a new seed for every request"),
    STATS(
            "prism.stats",
            "log",
            "off, log or micrometer",
            "where the statistics of a request go; they are always on its result");

    private final String property;
    private final String defaultValue;
    private final String accepted;
    private final String meaning;

    Flag(String property, String defaultValue, String accepted, String meaning) {
        this.property = property;
        this.defaultValue = defaultValue;
        this.accepted = accepted;
        this.meaning = meaning;
    }

    /** Name as a system property and in {@code prism.properties}, for instance {@code prism.tree}. */
    public String property() {
        return property;
    }

    /** Name as an environment variable, for instance {@code PRISM_TREE}. */
    public String environmentVariable() {
        return property.toUpperCase(Locale.ROOT).replace('.', '_');
    }

    /** What holds when the flag is not given, for people. */
    public String defaultValue() {
        return defaultValue;
    }

    /** Accepted values, for people. */
    public String accepted() {
        return accepted;
    }

    public String meaning() {
        return meaning;
    }
}
