package io.prism.training.plan;

import io.prism.spi.PrismException;
import java.util.Arrays;
import java.util.Locale;

/** Kinds of drafters that can be trained. */
public enum Recipe {
    /** One module, trained on its first step only. */
    EAGLE2(1, 1, false),
    /** One module, three steps of context alignment. */
    HASS(1, 3, false),
    /** A module per step, warmed up as one. */
    PRISM(2, 3, true),
    /** As {@link #PRISM}, with three inner hidden states of the target as the first step's input. */
    PRISM_STAR(2, 3, true),
    /** A layer of twice the input width with a head of its own, trained over seven steps. */
    EAGLE3(1, 7, false);

    private final int modules;
    private final int steps;
    private final boolean secondStage;

    Recipe(int modules, int steps, boolean secondStage) {
        this.modules = modules;
        this.steps = steps;
        this.secondStage = secondStage;
    }

    /** By its name on the command line, for instance {@code prism-star}. */
    public static Recipe of(String name) {
        return Arrays.stream(values())
                .filter(recipe -> recipe.label().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new PrismException("Unknown recipe '" + name + "': expected one of "
                        + Arrays.stream(values()).map(Recipe::label).toList() + "."));
    }

    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public int defaultModules() {
        return modules;
    }

    /** Draft steps trained on. */
    public int defaultSteps() {
        return steps;
    }

    /** Whether a second stage, with a module per step, is part of it. */
    public boolean hasSecondStage() {
        return secondStage;
    }

    /** Whether the first draft step reads inner hidden states of the target. */
    public boolean readsInnerLayers() {
        return this == PRISM_STAR || this == EAGLE3;
    }
}
