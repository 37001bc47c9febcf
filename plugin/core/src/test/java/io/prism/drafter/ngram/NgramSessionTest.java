package io.prism.drafter.ngram;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.spi.DrafterProvider;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NgramSessionTest {
    private static final DraftBudget BUDGET = new DraftBudget(6, 4, 24);

    private static NgramSession session(int... text) {
        NgramSession session = new NgramSession();
        session.accept(text, IntStream.range(0, text.length).toArray(), text.length, null);
        return session;
    }

    private static TokenTree propose(NgramSession session, int root, DraftBudget budget) {
        TokenTree tree = new TokenTree(root);
        session.propose(tree, budget);
        return tree;
    }

    private static int[] firstChain(TokenTree tree) {
        int[] chain = new int[0];
        for (int node = 1, at = 0; node < tree.size(); node++) {
            if (tree.parent(node) == at) {
                chain = Arrays.copyOf(chain, chain.length + 1);
                chain[chain.length - 1] = tree.token(node);
                at = node;
            }
        }
        return chain;
    }

    @Test
    void nothingIsProposedForATokenNeverSeen() {
        assertThat(propose(session(1, 2, 3), 9, BUDGET).size()).isEqualTo(1);
        assertThat(propose(session(), 9, BUDGET).size()).isEqualTo(1);
    }

    @Test
    void theContinuationOfTheLongestMatchComesFirst() {
        // after "1 2" once 5 6, after "9 1 2" 7 8
        TokenTree tree = propose(session(3, 1, 2, 5, 6, 9, 1, 2, 7, 8, 4, 1, 2, 5, 6, 9, 1), 2, BUDGET);
        assertThat(firstChain(tree)).startsWith(7, 8, 4);
        assertThat(tree.child(0, 5)).isPositive();
        assertThat(tree.logProbability(tree.child(0, 7))).isGreaterThan(tree.logProbability(tree.child(0, 5)));
    }

    @Test
    void equallyLongMatchesBecomeSiblingsTheMoreFrequentMoreProbable() {
        TokenTree tree = propose(session(1, 5, 1, 6, 1, 5, 1, 5, 0), 1, BUDGET);
        int five = tree.child(0, 5);
        int six = tree.child(0, 6);
        assertThat(five).isPositive();
        assertThat(six).isPositive();
        assertThat(tree.logProbability(five)).isGreaterThan(tree.logProbability(six));
    }

    @Test
    void longerMatchesAreMoreProbable() {
        TokenTree shorter = propose(session(1, 2, 8), 1, BUDGET);
        TokenTree longer = propose(session(5, 6, 7, 1, 2, 8, 5, 6, 7), 1, BUDGET);
        assertThat(longer.logProbability(longer.child(0, 2)))
                .isGreaterThan(shorter.logProbability(shorter.child(0, 2)));
    }

    @Test
    void aTextThatRepeatsItselfGoesOnRepeatingItself() {
        assertThat(firstChain(propose(session(1, 2, 3, 1, 2), 3, new DraftBudget(8, 1, 8))))
                .containsExactly(1, 2, 3, 1, 2, 3, 1, 2);
        assertThat(firstChain(propose(session(4, 4), 4, new DraftBudget(5, 1, 5))))
                .containsExactly(4, 4, 4, 4, 4);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 1, 3", "6, 2, 10", "16, 4, 63", "4, 8, 5"})
    void proposalsKeepToTheirBudget(int steps, int topK, int nodes) {
        Random random = new Random(4);
        NgramSession session = session(random.ints(3000, 0, 12).toArray());
        for (int root = 0; root < 12; root++) {
            TokenTree tree = propose(session, root, new DraftBudget(steps, topK, nodes));
            assertThat(tree.size() - 1).isBetween(1, nodes);
            int[] children = new int[tree.size()];
            double[] mass = new double[tree.size()];
            for (int node = 1; node < tree.size(); node++) {
                assertThat(tree.depth(node)).isLessThanOrEqualTo(steps);
                assertThat(++children[tree.parent(node)]).isLessThanOrEqualTo(topK);
                assertThat(tree.child(tree.parent(node), tree.token(node))).isEqualTo(node);
                mass[tree.parent(node)] += Math.exp(tree.logProbability(node));
            }
            for (double sum : mass) {
                assertThat(sum).isLessThan(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "3, 2", "5, 3", "20, 4", "300, 5"})
    void theLongestMatchIsThatOfABruteForceSearch(int vocabulary, long seed) {
        Random random = new Random(seed);
        int[] text = new int[600];
        for (int i = 0; i < text.length; i++) {
            // copies of earlier stretches make long matches
            text[i] = i > 50 && random.nextInt(10) > 0 ? text[i - 37] : random.nextInt(vocabulary);
        }
        NgramSession session = new NgramSession();
        for (int end = 1; end < text.length; end++) {
            propose(session, text[end - 1], BUDGET);
            int longest = longestMatch(text, end);
            int found = session.longestMatch();
            assertThat(found).isLessThanOrEqualTo(longest);
            // Only the latest occurrences of the longest indexed n-gram are looked at: no shorter one can win.
            assertThat(found).isGreaterThanOrEqualTo(Math.min(longest, largestOrderUpTo(longest)));
            if (occurrences(text, end, largestOrderUpTo(longest)) <= NgramSession.MOST_OCCURRENCES) {
                assertThat(found).isEqualTo(longest);
            }
            session.accept(new int[] {text[end - 1]}, new int[] {0}, 1, null);
        }
    }

    private static int largestOrderUpTo(int length) {
        int largest = 0;
        for (int i = 0; i < NgramIndex.ORDERS; i++) {
            largest = NgramIndex.order(i) <= length ? NgramIndex.order(i) : largest;
        }
        return largest;
    }

    /** Longest suffix of the first {@code end} tokens that occurs earlier, too, with a committed token after it. */
    private static int longestMatch(int[] text, int end) {
        int best = 0;
        for (int next = 1; next < end - 1; next++) {
            best = Math.max(best, match(text, next, end));
        }
        return best;
    }

    /** How many tokens before {@code next} equal the last of the first {@code end}. */
    private static int match(int[] text, int next, int end) {
        int length = 0;
        while (length < Math.min(NgramSession.MOST_MATCH, next) && text[next - 1 - length] == text[end - 1 - length]) {
            length++;
        }
        return length;
    }

    private static int occurrences(int[] text, int end, int order) {
        int count = 0;
        for (int next = 1; next < end - 1; next++) {
            if (order > 0 && match(text, next, end) >= order) {
                count++;
            }
        }
        return count;
    }

    @Test
    void truncatingEqualsNeverHavingSeen() {
        Random random = new Random(8);
        int[] text = random.ints(2000, 0, 9).toArray();
        NgramSession session = session(text);
        for (int length : new int[] {1990, 1500, 1499, 700, 64, 8, 1, 0}) {
            session.truncate(length);
            NgramSession fresh = session(Arrays.copyOf(text, length));
            for (int root = 0; root < 9; root++) {
                assertEqual(propose(session, root, BUDGET), propose(fresh, root, BUDGET));
            }
        }
        session.accept(text, new int[0], text.length, null);
        assertEqual(propose(session, 3, BUDGET), propose(session(text), 3, BUDGET));
    }

    @Test
    void truncatingAgainAndAgainTakesNoMoreMemory() {
        NgramIndex index = new NgramIndex();
        Random random = new Random(8);
        for (int i = 0; i < 5000; i++) {
            index.append(random.nextInt());
        }
        int before = index.tableSize();
        for (int round = 0; round < 200; round++) {
            index.truncate(4000);
            for (int i = 0; i < 1000; i++) {
                index.append(random.nextInt());
            }
        }
        assertThat(index.tableSize()).isLessThanOrEqualTo(2 * before);
    }

    private static void assertEqual(TokenTree a, TokenTree b) {
        assertThat(a.size()).isEqualTo(b.size());
        for (int node = 0; node < a.size(); node++) {
            assertThat(a.token(node)).isEqualTo(b.token(node));
            assertThat(a.parent(node)).isEqualTo(b.parent(node));
            assertThat(a.logProbability(node)).isEqualTo(b.logProbability(node));
        }
    }

    @Test
    void theProviderIsFoundByItsName() {
        DrafterProvider provider = ServiceLoader.load(DrafterProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(it -> it.name().equals("ngram"))
                .findFirst()
                .orElseThrow();
        assertThat(provider.supports(Path.of("ngram"), null)).isTrue();
        assertThat(provider.supports(Path.of("elsewhere", "ngram"), null)).isFalse();
        assertThat(provider.open(Path.of("ngram"), null).name()).isEqualTo("ngram");
    }
}
