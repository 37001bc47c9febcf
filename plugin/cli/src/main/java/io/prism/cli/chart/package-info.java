/** Charts as SVG, to stand in an HTML page. */
@NullMarked
package io.prism.cli.chart;

import org.jspecify.annotations.NullMarked;
