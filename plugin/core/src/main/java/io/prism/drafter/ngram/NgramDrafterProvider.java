package io.prism.drafter.ngram;

import io.prism.spi.Drafter;
import io.prism.spi.DrafterProvider;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import java.nio.file.Path;

/** Offers {@link NgramDrafter} under the name {@value NgramDrafter#NAME}; it suits every target. */
public final class NgramDrafterProvider implements DrafterProvider {

    @Override
    public String name() {
        return NgramDrafter.NAME;
    }

    @Override
    public boolean supports(Path drafter, TargetDescription target) {
        return drafter.toString().equals(NgramDrafter.NAME);
    }

    @Override
    public Drafter open(Path drafter, TargetModel target) {
        return new NgramDrafter();
    }
}
