package io.prism.integration.soak;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** A target whose passes fail now and then, alone and shared ones, and that counts its open sessions. */
final class FaultyTarget implements TargetModel {
    static final String FAULT = "injected fault";
    private static final int PASSES_PER_FAULT = 400;

    private final TargetModel real;
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger faults = new AtomicInteger();
    volatile boolean failing;

    FaultyTarget(TargetModel real) {
        this.real = real;
    }

    private void mayFail() {
        if (failing && ThreadLocalRandom.current().nextInt(PASSES_PER_FAULT) == 0) {
            faults.incrementAndGet();
            throw new IllegalStateException(FAULT);
        }
    }

    @Override
    public TargetDescription description() {
        return real.description();
    }

    @Override
    public String engine() {
        return real.engine();
    }

    @Override
    public int maxTreeRows() {
        return real.maxTreeRows();
    }

    @Override
    public boolean verifiesTrees() {
        return real.verifiesTrees();
    }

    @Override
    public Optional<SharedWeights> sharedWeights() {
        return real.sharedWeights();
    }

    @Override
    public int maxJointRows() {
        return real.maxJointRows();
    }

    @Override
    public int concurrentPasses() {
        return real.concurrentPasses();
    }

    @Override
    public long kvBytesPerToken() {
        return real.kvBytesPerToken();
    }

    @Override
    public List<PassOutput> runTogether(List<PassRequest> requests) {
        mayFail();
        return real.runTogether(requests.stream().map(FaultyTarget::unwrapped).toList());
    }

    private static PassRequest unwrapped(PassRequest request) {
        TargetSession session = ((Session) request.session()).realSession;
        return switch (request) {
            case PassRequest.Prefill prefill ->
                new PassRequest.Prefill(session, prefill.tokens(), prefill.offset(), prefill.count());
            case PassRequest.Verify verify -> new PassRequest.Verify(session, verify.tree());
        };
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        open.incrementAndGet();
        return new Session(real.openSession(hiddenStates));
    }

    @Override
    public void close() {
        real.close();
    }

    private final class Session implements TargetSession {
        private final TargetSession realSession;

        Session(TargetSession realSession) {
            this.realSession = realSession;
        }

        @Override
        public int length() {
            return realSession.length();
        }

        @Override
        public int capacity() {
            return realSession.capacity();
        }

        @Override
        public PassOutput prefill(int[] tokens, int offset, int count) {
            mayFail();
            return realSession.prefill(tokens, offset, count);
        }

        @Override
        public PassOutput verify(TokenTree tree) {
            mayFail();
            return realSession.verify(tree);
        }

        @Override
        public void commit(int[] path, int count) {
            realSession.commit(path, count);
        }

        @Override
        public void truncate(int length) {
            realSession.truncate(length);
        }

        @Override
        public long kvBytes() {
            return realSession.kvBytes();
        }

        @Override
        public void close() {
            open.decrementAndGet();
            realSession.close();
        }
    }
}
