/** Files of tensors: read with every claim checked, nothing executed; and written. Knows no models. */
@NullMarked
package io.prism.drafter.format;

import org.jspecify.annotations.NullMarked;
