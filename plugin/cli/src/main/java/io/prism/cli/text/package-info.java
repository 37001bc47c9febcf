/** Text for people: tables and formatted quantities. */
@NullMarked
package io.prism.cli.text;

import org.jspecify.annotations.NullMarked;
