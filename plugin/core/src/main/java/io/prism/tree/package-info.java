/** Token trees and how large to make them. */
@NullMarked
package io.prism.tree;

import org.jspecify.annotations.NullMarked;
