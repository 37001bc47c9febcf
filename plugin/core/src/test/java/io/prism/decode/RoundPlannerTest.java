package io.prism.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.config.TreeSpec;
import io.prism.tree.CostModel;
import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Plays decoding with made-up costs and acceptance, and adds up the time. */
class RoundPlannerTest {
    private static final int MAX_ROWS = 33;
    private static final double PLAIN = 1e6;

    /**
     * A made-up world: a pass of n rows takes 1 + rowCost (n - 1) ms, give or take noise; the drafter takes draftCost ms a
     * step, says its tokens have probability {@code claimed}, and they are accepted with probability {@code real}.
     */
    private static final class World {
        final double rowCost;
        final double draftCost;
        final double claimed;
        double real;
        Random random = new Random(5);
        final CostModel cost = new CostModel(MAX_ROWS);
        final Learned learned = Learned.nothing(16);
        double noise = 0.05;

        /** Proposals yet to come that take so many plain passes longer. */
        int coldDrafts;

        double coldPasses = 2;

        /** Trees yet to come that take four times as long. */
        int coldTrees;

        World(double rowCost, double draftCost, double claimed, double real) {
            this.rowCost = rowCost;
            this.draftCost = draftCost;
            this.claimed = claimed;
            this.real = real;
        }

        World measured() {
            for (int rows : cost.knots()) {
                cost.calibrate(rows, new long[] {(long) pass(rows, 0)});
            }
            return this;
        }

        double pass(int rows, double noisy) {
            double outlier = noisy > 0 && random.nextInt(100) == 0 ? 3 : 1;
            return PLAIN * (1 + rowCost * (rows - 1)) * (1 + noisy * random.nextDouble()) * outlier;
        }

        RoundPlanner planner(boolean trees) {
            return new RoundPlanner(cost, learned, TreeSpec.AUTO, trees);
        }

        /** Time taken over the time of plain decoding. */
        double play(RoundPlanner planner, int tokens) {
            JointSizing sizing = new JointSizing(cost);
            double time = 0;
            double plainTime = 0;
            TokenTree proposal = new TokenTree(0);
            TokenTree chosen = new TokenTree(0);
            int done = 0;
            while (done < tokens) {
                chosen.reset(0);
                DraftBudget budget = planner.budget(tokens - done, MAX_ROWS, 1);
                double draft = 0;
                if (budget != null) {
                    draft = draftCost * PLAIN * budget.steps() + (coldDrafts-- > 0 ? coldPasses * PLAIN : 0);
                    proposal.reset(0);
                    for (int step = 0; step < Math.min(budget.steps(), budget.nodes()); step++) {
                        proposal.add(step, 1, (float) Math.log(claimed));
                    }
                    planner.consider(proposal);
                    sizing.begin(1, 0);
                    sizing.add(planner, MAX_ROWS, chosen);
                    sizing.choose();
                }
                double pass = pass(chosen.size(), noise) * (chosen.size() > 1 && coldTrees-- > 0 ? 4 : 1);
                int accepted = 0;
                while (accepted < chosen.size() - 1 && random.nextDouble() < real) {
                    planner.token(1);
                    accepted++;
                }
                // A draft token that was not verified may be right as well; a verified one that was refused is not.
                boolean refused = accepted < chosen.size() - 1;
                planner.token(!refused && random.nextDouble() < real ? 1 : 2);
                RoundCost shared =
                        RoundCost.of(cost, 1, 0, chosen.size(), budget == null ? 0 : 1, (long) draft, (long) pass);
                planner.finished(
                        budget, shared.plain(), accepted + 1, shared.draftOfOne(), 0, shared.passOf(chosen.size()), 0);
                cost.observe(chosen.size(), (long) pass);
                time += draft + pass;
                for (int i = 0; i <= accepted; i++) {
                    plainTime += pass(1, noise);
                }
                done += accepted + 1;
            }
            return time / plainTime;
        }
    }

    /** The drafter claims 0.3, and in texts so far it was right. */
    @Test
    void aTextThatTakesMoreOfItsDraftsThanOthersIsSoonDraftedDeeper() {
        double sum = 0;
        for (int seed = 1; seed <= 10; seed++) {
            World world = new World(0.1, 0.03, 0.3, 0.3).measured();
            world.random = new Random(seed);
            for (int text = 0; text < 20; text++) {
                RoundPlanner planner = world.planner(true);
                planner.begin(Experience.NONE);
                world.play(planner, 100);
            }
            world.real = 0.97;
            RoundPlanner planner = world.planner(true);
            planner.begin(Experience.NONE);
            sum += world.play(planner, 80);
        }
        assertThat(sum / 10).isLessThan(0.8);
    }

    /** Proposals of cold code are the trial's to pay for, not the first request's trees'. */
    @Test
    void theFirstRequestOfAProcessIsDraftedThoughItsFirstProposalsAreThoseOfColdCode() {
        World world = new World(0.05, 0.05, 0.8, 0.8).measured();
        world.coldDrafts = 2;
        world.coldPasses = 5;
        RoundPlanner planner = world.planner(true);
        planner.begin(Experience.NONE);
        // a sixth of what is compared with is time of cold code
        assertThat(world.play(planner, 60)).isLessThan(0.95);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0.001, 0.9, 0.9",
        "1, 0.2, 0.9, 0.9",
        "0.5, 0.01, 0.95, 0.02",
        "0.1, 0.01, 0.95, 0",
        "0.1, 0.3, 0.95, 0.1",
        "0.02, 0.001, 0.99, 0",
        "0.02, 2, 0.95, 0.9",
        "0.3, 0.05, 0.5, 0.25",
        "0.15, 0, 0.3, 0.1"
    })
    void speculationThatCanNotPayCostsAtMostThreePercent(
            double rowCost, double draftCost, double claimed, double real) {
        for (boolean measured : new boolean[] {true, false}) {
            World world = new World(rowCost, draftCost, claimed, real);
            RoundPlanner planner = (measured ? world.measured() : world).planner(true);
            assertThat(world.play(planner, 1000)).isLessThan(1.03);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0.02, 0.005, 0.9, 0.9, 0.3",
        "0.02, 0.005, 0.6, 0.9, 0.3",
        "0.1, 0.01, 0.8, 0.8, 0.55",
        "0.3, 0.01, 0.9, 0.9, 0.8",
        "0.05, 0.05, 0.7, 0.7, 0.65"
    })
    void speculationThatPaysIsFoundAndUsed(double rowCost, double draftCost, double claimed, double real, double most) {
        World world = new World(rowCost, draftCost, claimed, real).measured();
        world.play(world.planner(true), 300);
        assertThat(world.play(world.planner(true), 1000)).isLessThan(most);
    }

    @Test
    void withoutAMeasurementTheRoundsThemselvesShowThatSpeculationPays() {
        World world = new World(0.05, 0.005, 0.95, 0.95);
        world.play(world.planner(true), 500);
        assertThat(world.play(world.planner(true), 1000)).isLessThan(0.6);
    }

    @Test
    void firstProposalsOfColdCodeDoNotMakeADrafterLookTooDear() {
        World world = new World(0.02, 0.02, 0.9, 0.9).measured();
        world.coldDrafts = 2;
        assertThat(world.play(world.planner(true), 300)).isLessThan(0.5);
    }

    /** As real ones would have cost what speculation may lose, no tree would be tried for hundreds of rounds. */
    @Test
    void aPassThatWasDisturbedDoesNotEndTheTreesOfARequest() {
        World world = new World(0.3, 0.05, 0.8, 0.8).measured();
        world.coldTrees = 1;
        RoundPlanner planner = world.planner(true);
        planner.begin(Experience.NONE);
        assertThat(world.play(planner, 120)).isLessThan(1.01);
    }

    @Test
    void aDrafterThatTurnsBadIsNoticedSoon() {
        World good = new World(0.05, 0.01, 0.9, 0.9).measured();
        RoundPlanner planner = good.planner(true);
        good.play(planner, 1000);
        World bad = new World(0.05, 0.01, 0.9, 0);
        assertThat(bad.play(planner, 2000)).isLessThan(1.03);
    }

    @Test
    void aDrafterThatTurnsGoodIsNoticed() {
        World bad = new World(0.05, 0.01, 0.9, 0).measured();
        RoundPlanner planner = bad.planner(true);
        bad.play(planner, 1000);
        World good = new World(0.05, 0.01, 0.9, 0.9);
        good.play(planner, 2000);
        assertThat(good.play(planner, 1000)).isLessThan(0.6);
    }

    @Test
    void aFixedTreeIsTheBudgetOfEveryRoundAsFarAsThereIsRoom() {
        World world = new World(1, 1, 0.5, 0);
        RoundPlanner planner = new RoundPlanner(world.cost, world.learned, TreeSpec.of(6, 4, 16), true);
        assertThat(planner.budget(100, 100, 1)).isEqualTo(new DraftBudget(6, 4, 16));
        assertThat(planner.budget(3, 100, 1)).isEqualTo(new DraftBudget(3, 4, 16));
        assertThat(planner.budget(100, 5, 1)).isEqualTo(new DraftBudget(6, 4, 4));
        assertThat(planner.budget(0, 100, 1)).isNull();
        assertThat(planner.budget(100, 1, 1)).isNull();
        RoundPlanner chains = new RoundPlanner(world.cost, world.learned, TreeSpec.of(6, 4, 16), false);
        assertThat(chains.budget(100, 100, 1)).isEqualTo(new DraftBudget(6, 1, 16));
    }

    @Test
    void shortRequestsDoNotFindOutAnewThatSpeculationDoesNotPay() {
        World world = new World(0.5, 0.5, 0.9, 0.2).measured();
        Experience experience = Experience.NONE;
        double time = 0;
        for (int request = 0; request < 50; request++) {
            RoundPlanner planner = world.planner(true);
            planner.begin(experience);
            time += world.play(planner, 40);
            experience = planner.end();
        }
        assertThat(time / 50).isLessThan(1.02);
    }

    @Test
    void aDrafterThatOnceDidNotPayIsFoundToPayInLaterRequests() {
        World world = new World(0.02, 0.01, 0.9, 0.9).measured();
        Experience experience = new Experience(0, 20 * PLAIN, 4 * PLAIN, 100, 0, -PLAIN);
        for (int request = 0; request < 300; request++) {
            RoundPlanner planner = world.planner(true);
            planner.begin(experience);
            world.play(planner, 40);
            experience = planner.end();
        }
        RoundPlanner planner = world.planner(true);
        planner.begin(experience);
        assertThat(planner.isPaused()).isFalse();
        assertThat(world.play(planner, 400)).isLessThan(0.4);
    }

    @Test
    void tellingADrafterOfManyTokensIsPaidForFromTheCreditOfProbes() {
        World world = new World(0.5, 0.5, 0.9, 0.2).measured();
        for (int i = 0; i < 16; i++) {
            world.learned.trial().proposed(PLAIN);
        }
        RoundPlanner planner = world.planner(true);
        planner.begin(new Experience(0, PLAIN, PLAIN, 10, PLAIN, 0));
        DraftBudget probe = planner.budget(100, MAX_ROWS, 1);
        assertThat(probe).isNotNull();
        planner.finished(probe, PLAIN, 1, 6 * PLAIN, 5 * PLAIN, PLAIN, 0);
        int rounds = 0;
        while (planner.budget(100, MAX_ROWS, 1) == null) {
            planner.finished(null, PLAIN, 1, 0, 0, PLAIN, 0);
            rounds++;
        }
        assertThat(rounds).isBetween(550, 650);
    }

    @Test
    void nothingIsDraftedBeforeThePriceOfAPlainPassIsKnown() {
        World world = new World(0, 0, 0.5, 0.5);
        RoundPlanner planner = world.planner(true);
        assertThat(planner.budget(100, 100, 1)).isNull();
        world.cost.observe(1, 1000);
        assertThat(planner.budget(100, 100, 1)).isNotNull();
    }

    /**
     * Several sessions with the same drafter in one round after the other; gives the time taken over the time that plain
     * rounds of as many sessions take for the same number of tokens.
     */
    private static double playTogether(World world, int sessions, int tokens, double rowCost) {
        JointSizing sizing = new JointSizing(world.cost);
        List<RoundPlanner> planners = new ArrayList<>();
        List<TokenTree> chosen = new ArrayList<>();
        List<DraftBudget> budgets = new ArrayList<>();
        for (int i = 0; i < sessions; i++) {
            planners.add(world.planner(true));
            chosen.add(new TokenTree(0));
        }
        double time = 0;
        int done = 0;
        while (done < tokens) {
            budgets.clear();
            sizing.begin(sessions, 0);
            int drafting = 0;
            int steps = 0;
            for (int i = 0; i < sessions; i++) {
                chosen.get(i).reset(0);
                DraftBudget budget = planners.get(i).budget(tokens, MAX_ROWS, sessions);
                budgets.add(budget);
                if (budget != null) {
                    drafting++;
                    steps = Math.max(steps, budget.steps());
                    TokenTree proposal = new TokenTree(0);
                    for (int step = 0; step < Math.min(budget.steps(), budget.nodes()); step++) {
                        proposal.add(step, 1, (float) Math.log(world.claimed));
                    }
                    planners.get(i).consider(proposal);
                    sizing.add(planners.get(i), MAX_ROWS, chosen.get(i));
                }
            }
            sizing.choose();
            int rows = chosen.stream().mapToInt(TokenTree::size).sum();
            double draft = world.draftCost * PLAIN * steps;
            double pass = world.pass(rows, 0);
            RoundCost shared = RoundCost.of(world.cost, sessions, 0, rows, drafting, (long) draft, (long) pass);
            for (int i = 0; i < sessions; i++) {
                int nodes = chosen.get(i).size() - 1;
                int accepted = 0;
                while (accepted < nodes && world.random.nextDouble() < world.real) {
                    planners.get(i).token(1);
                    accepted++;
                }
                planners.get(i).token(accepted == nodes && world.random.nextDouble() < world.real ? 1 : 2);
                double charged = budgets.get(i) == null ? 0 : shared.draftOfOne();
                planners.get(i)
                        .finished(
                                budgets.get(i),
                                shared.plain(),
                                accepted + 1,
                                charged,
                                0,
                                shared.passOf(chosen.get(i).size()),
                                0);
                done += accepted + 1;
            }
            world.cost.observe(rows, (long) pass);
            time += draft + pass;
        }
        double plainRound = PLAIN * (1 + rowCost * (sessions - 1));
        return time / (plainRound * done / sessions);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8, 16})
    void sessionsTogetherAreNotSlowerThanPlainRoundsOfAllWhereSpeculationCanNotPay(int sessions) {
        for (double rowCost : new double[] {0.1, 0.3, 1}) {
            World world = new World(rowCost, 0.01, 0.95, 0.05).measured();
            assertThat(playTogether(world, sessions, 1000 * sessions, rowCost)).isLessThan(1.03);
        }
    }

    @Test
    void sessionsTogetherSpeculateWhereItPaysAndLessTheMoreTheyAre() {
        double last = 0;
        for (int sessions : new int[] {1, 2, 4, 8}) {
            World world = new World(0.1, 0.01, 0.9, 0.9).measured();
            double share = playTogether(world, sessions, 2000 * sessions, 0.1);
            assertThat(share).isLessThan(0.95).isGreaterThan(last);
            last = share;
        }
    }
}
