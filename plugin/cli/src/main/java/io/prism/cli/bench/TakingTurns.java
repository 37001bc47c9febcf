package io.prism.cli.bench;

import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Lets several answers be made side by side, one at a time: whoever has the fewest tokens goes on, for a pass or so. So all
 * are at about the same place of the text at about the same time, and a machine that is slower for a second is so for all
 * of them. Time spent waiting is spent in the callback for text, which is not measured.
 *
 * <p>An answer has a thread of its own. Used once.
 */
final class TakingTurns {
    private static final int OVER = Integer.MAX_VALUE;

    private final Lock lock = new ReentrantLock();
    private final Condition handedOver = lock.newCondition();
    private final int[] tokens;
    private int turn;

    private TakingTurns(int answers) {
        tokens = new int[answers];
    }

    /** Makes an answer, and tells its argument of each token. */
    interface Answer<T> {
        T make(Consumer<String> onText);
    }

    /**
     * Makes all answers.
     *
     * @return in the order of the arguments
     * @throws PrismException if one fails; the others have ended then
     */
    static <T> List<T> make(List<? extends Answer<T>> answers) {
        TakingTurns turns = new TakingTurns(answers.size());
        List<Future<T>> futures = new ArrayList<>();
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread::new)) {
            for (int i = 0; i < answers.size(); i++) {
                int number = i;
                futures.add(threads.submit(() -> turns.make(number, answers.get(number))));
            }
        }
        List<T> made = new ArrayList<>();
        for (Future<T> future : futures) {
            try {
                made.add(future.get());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new PrismException("Interrupted while measuring", e);
            } catch (ExecutionException e) {
                throw new PrismException("An answer failed: " + e.getCause(), e);
            }
        }
        return made;
    }

    private <T> T make(int number, Answer<T> answer) {
        awaitTurn(number);
        try {
            return answer.make(text -> token(number));
        } finally {
            handOver(number, OVER);
        }
    }

    private void token(int number) {
        handOver(number, tokens[number] + 1);
        awaitTurn(number);
    }

    private void handOver(int number, int made) {
        lock.lock();
        try {
            tokens[number] = made;
            turn = least(number);
            handedOver.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whose turn it is: of those with the fewest tokens the one after {@code number}. */
    private int least(int number) {
        int fewest = Arrays.stream(tokens).min().orElse(OVER);
        int next = (number + 1) % tokens.length;
        while (tokens[next] != fewest) {
            next = (next + 1) % tokens.length;
        }
        return next;
    }

    private void awaitTurn(int number) {
        lock.lock();
        try {
            while (turn != number) {
                handedOver.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
