/** Whether an opened drafter drafts anything that makes sense. */
@NullMarked
package io.prism.drafter.check;

import org.jspecify.annotations.NullMarked;
