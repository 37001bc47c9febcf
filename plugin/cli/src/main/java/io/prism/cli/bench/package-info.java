/** Measuring contenders on suites of prompts: reading suites, running, pooling, reporting. */
@NullMarked
package io.prism.cli.bench;

import org.jspecify.annotations.NullMarked;
