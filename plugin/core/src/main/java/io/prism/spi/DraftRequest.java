package io.prism.spi;

import io.prism.tree.DraftBudget;
import io.prism.tree.TokenTree;

/**
 * A proposal wanted: the arguments of {@link DraftSession#propose}.
 *
 * @param session of the drafter that is asked
 * @param tree holds only its root
 * @param budget the most to propose
 */
public record DraftRequest(DraftSession session, TokenTree tree, DraftBudget budget) {}
