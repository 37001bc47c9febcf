package io.prism.training.capture;

import io.prism.spi.HostedModel;
import io.prism.spi.PrismException;
import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import io.prism.training.data.Conversation;
import io.prism.training.data.ConversationReader;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/** Fills two caches, for training and for validation, from a data file; goes on where a killed run stopped. */
public final class TargetCapture {
    private static final int WARM_UP = 4;
    private static final int TIMED = 8;

    private final HostedModel model;
    private final AnswerPlan plan;
    private final int sessions;
    private final long shardBytes;

    /**
     * @param sessions conversations answered at a time
     * @param shardBytes size of a cache file; what is being gathered for one is lost in a kill
     */
    public TargetCapture(HostedModel model, AnswerPlan plan, int sessions, long shardBytes) {
        this.model = model;
        this.plan = plan;
        this.sessions = sessions;
        this.shardBytes = shardBytes;
    }

    /**
     * What a conversation takes.
     *
     * @param seconds of one session
     * @param tokens of its examples
     */
    public record Pace(double seconds, double tokens) {}

    /** Answers a few conversations to see how long it takes; nothing is kept. */
    public Pace measure(Path data, long skip) {
        long nanos = 0;
        long tokens = 0;
        int timed = 0;
        try (ConversationReader reader = new ConversationReader(data);
                Answerer answerer = new Answerer(model, plan, List.of())) {
            long number = 0;
            for (Conversation conversation = reader.next();
                    conversation != null && number < skip + WARM_UP + TIMED;
                    conversation = reader.next()) {
                if (number >= skip) {
                    long begin = System.nanoTime();
                    List<Example> examples = answers(answerer, conversation, number);
                    if (number >= skip + WARM_UP) {
                        nanos += System.nanoTime() - begin;
                        timed++;
                        for (Example example : examples) {
                            tokens += example.tokens().length;
                        }
                    }
                }
                number++;
            }
        }
        return timed == 0 ? new Pace(0, 0) : new Pace(nanos / 1e9 / timed, (double) tokens / timed);
    }

    /** Sees what has been done. */
    public interface Listener {
        /**
         * @param conversations done since the start of the data
         * @param tokens of examples gathered by this call
         */
        void onProgress(long conversations, long tokens);
    }

    /**
     * Answers all conversations the cache lacks.
     *
     * @param skip conversations at the start of the file that are not for this cache
     * @param count conversations after them; 0 for all the others
     * @throws PrismException if the data is damaged or the disk full; what was written stays
     */
    public void fill(FeatureCache cache, Path data, long skip, long count, Listener listener) {
        if (cache.isComplete()) {
            return;
        }
        long gathered = 0;
        long done = cache.conversations();
        List<Example> shard = new ArrayList<>();
        long bytes = 0;
        BlockingQueue<Answerer> free = new LinkedBlockingQueue<>();
        List<Answerer> answerers = new ArrayList<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(sessions);
                ConversationReader reader = new ConversationReader(data)) {
            try {
                for (int i = 0; i < sessions; i++) {
                    answerers.add(new Answerer(model, plan, cache.key().innerLayers()));
                }
                free.addAll(answerers);
                ArrayDeque<Future<List<Example>>> pending = new ArrayDeque<>();
                long next = 0;
                Conversation conversation = reader.next();
                while (conversation != null || !pending.isEmpty()) {
                    boolean wanted = conversation != null && (count == 0 || next < skip + count);
                    if (wanted && pending.size() < 2 * sessions) {
                        if (next >= skip + done + pending.size()) {
                            Conversation asked = conversation;
                            long number = next;
                            pending.add(workers.submit(() -> answers(free, asked, number)));
                        }
                        next++;
                        conversation = reader.next();
                        continue;
                    }
                    if (pending.isEmpty()) {
                        break;
                    }
                    for (Example example : result(pending.remove())) {
                        shard.add(example);
                        gathered += example.tokens().length;
                        bytes += FeatureCache.bytes(
                                example.tokens().length, cache.key().width());
                    }
                    done++;
                    listener.onProgress(done, gathered);
                    if (bytes >= shardBytes) {
                        cache.append(shard, done, false);
                        shard = new ArrayList<>();
                        bytes = 0;
                    }
                }
                cache.append(shard, done, true);
            } finally {
                workers.shutdownNow();
            }
        } finally {
            answerers.forEach(Answerer::close);
        }
        if (cache.examples() == 0) {
            throw new PrismException("No conversation of " + data + " gave an answer to train on: expected prompts of"
                    + " fewer than " + plan.maxTokens() + " tokens"
                    + (plan.source() == io.prism.training.plan.AnswerSource.DATASET ? ", with answers." : "."));
        }
    }

    private List<Example> answers(BlockingQueue<Answerer> free, Conversation conversation, long number)
            throws InterruptedException {
        Answerer answerer = free.take();
        try {
            return answers(answerer, conversation, number);
        } finally {
            free.add(answerer);
        }
    }

    private List<Example> answers(Answerer answerer, Conversation conversation, long number) {
        List<Example> examples = new ArrayList<>();
        for (int i = 0; i < plan.answersPerPrompt(); i++) {
            long answer = number * plan.answersPerPrompt() + i;
            float temperature =
                    plan.temperatures().get((int) (answer % plan.temperatures().size()));
            answerer.answer(conversation, temperature, plan.seed() + answer).ifPresent(examples::add);
        }
        return examples;
    }

    private static List<Example> result(Future<List<Example>> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PrismException(
                    "Interrupted while the target was answering. Run the same command again to go on.", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof PrismException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
