package io.prism.decode;

import io.prism.spi.DraftRequest;
import io.prism.spi.Drafter;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the proposals of several sessions made together. If that fails, each session is asked by itself, so that a failure
 * hits the one it belongs to. Not thread-safe.
 */
final class JointDrafting {
    private static final Logger LOG = LoggerFactory.getLogger(JointDrafting.class);

    private final List<RoundStep> asked = new ArrayList<>();
    private final List<DraftRequest> requests = new ArrayList<>();

    /** Gives each step that is drafted for by its group a proposal, or none. */
    void propose(List<RoundStep> steps) {
        asked.clear();
        requests.clear();
        for (RoundStep step : steps) {
            if (step.isDrafted()) {
                asked.add(step);
            }
        }
        if (asked.size() > 1) {
            asked.removeIf(step -> !request(step));
        }
        boolean made =
                requests.size() > 1 && tryTogether(asked.getFirst().drafter().drafter());
        for (RoundStep step : asked) {
            if (made) {
                step.takeProposal();
            } else {
                step.propose();
            }
        }
        asked.clear();
        requests.clear();
    }

    private boolean request(RoundStep step) {
        DraftRequest request = step.requestProposal();
        if (request == null) {
            return false;
        }
        requests.add(request);
        return true;
    }

    private boolean tryTogether(Drafter drafter) {
        try {
            drafter.proposeTogether(requests);
            return true;
        } catch (Throwable t) { // a drafter's failure costs speed only; whoever caused it fails again by itself
            LOG.debug("Drafting for {} sessions together failed; each is drafted for by itself", requests.size(), t);
            return false;
        }
    }
}
