package io.prism.cli.bench;

import io.prism.spi.HostedModel;
import io.prism.spi.HostedModel.Prompt;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes conversations fit the context. If one is too long, its oldest turns go first, a question with its answer; if
 * what is left is still too long, the last turn loses text from its beginning.
 *
 * @param room tokens that must stay free for the answer
 */
record PromptFitter(HostedModel model, int room) {
    /** Positions at the end of the context that an engine may not reach. */
    private static final int MARGIN = 16;

    /**
     * @param prompt what fits
     * @param shortened whether something was left out
     */
    record Fitted(Prompt prompt, boolean shortened) {}

    /** @param conversation user's and assistant's turns alternating, the last a user's */
    Fitted fit(List<String> conversation) {
        Prompt whole = model.prompt(conversation);
        if (fits(whole)) {
            return new Fitted(whole, false);
        }
        List<String> rest = new ArrayList<>(conversation);
        while (rest.size() > 2) {
            rest.subList(0, 2).clear();
            Prompt prompt = model.prompt(rest);
            if (fits(prompt)) {
                return new Fitted(prompt, true);
            }
        }
        return new Fitted(shorten(rest.getLast()), true);
    }

    private Prompt shorten(String turn) {
        int least = 0;
        int most = turn.length();
        while (least < most) {
            int cut = (least + most) >>> 1;
            if (fits(model.prompt(List.of(turn.substring(cut))))) {
                most = cut;
            } else {
                least = cut + 1;
            }
        }
        return model.prompt(List.of(turn.substring(least)));
    }

    private boolean fits(Prompt prompt) {
        return prompt.tokens().length + room + MARGIN
                <= model.target().description().contextLength();
    }
}
