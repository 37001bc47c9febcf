/** Hidden states of the target on disk: shards with checksums, streamed in shuffled blocks. */
@NullMarked
package io.prism.training.cache;

import org.jspecify.annotations.NullMarked;
