package io.prism.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TokenTreeTest {

    @Test
    void nodesKnowTheirParentsDepthsAndChildren() {
        TokenTree tree = new TokenTree(9);
        int a = tree.add(0, 1, -0.5f);
        int b = tree.add(0, 2, -1);
        int c = tree.add(a, 2, -2);
        assertThat(tree.size()).isEqualTo(4);
        assertThat(tree.parent(0)).isEqualTo(-1);
        assertThat(tree.depth(c)).isEqualTo(2);
        assertThat(tree.child(0, 2)).isEqualTo(b);
        assertThat(tree.child(a, 2)).isEqualTo(c);
        assertThat(tree.child(b, 2)).isEqualTo(-1);
        assertThat(tree.isChain()).isFalse();
    }

    @Test
    void copiesAndGrowthKeepEverything() {
        TokenTree tree = new TokenTree(9);
        for (int i = 0; i < 100; i++) {
            tree.add(i, i, -i);
        }
        assertThat(tree.isChain()).isTrue();
        TokenTree copy = new TokenTree(0);
        copy.copyFrom(tree);
        int[] parents = new int[101];
        copy.copyParents(parents);
        assertThat(parents[100]).isEqualTo(99);
        assertThat(copy.token(0)).isEqualTo(9);
        assertThat(copy.logProbability(50)).isEqualTo(-49);
        copy.reset(3);
        assertThat(copy.size()).isEqualTo(1);
        assertThat(copy.token(0)).isEqualTo(3);
        assertThat(tree.size()).isEqualTo(101);
    }

    @Test
    void nonsenseIsRefused() {
        TokenTree tree = new TokenTree(9);
        assertThatThrownBy(() -> tree.add(1, 1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tree.add(-1, 1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tree.add(0, 1, Float.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> tree.add(0, 1, 0.1f)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DraftBudget(0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
