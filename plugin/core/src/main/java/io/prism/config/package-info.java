/** Configuration: every flag once, validated. */
@NullMarked
package io.prism.config;

import org.jspecify.annotations.NullMarked;
