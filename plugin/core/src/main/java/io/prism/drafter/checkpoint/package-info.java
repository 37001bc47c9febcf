/**
 * Folders of draft models as they are published, brought to one form: EAGLE-1/2 and HASS, EAGLE-3, the PRISM authors' two
 * layouts, and our own. Every tensor is accounted for before a drafter may use it.
 */
@NullMarked
package io.prism.drafter.checkpoint;

import org.jspecify.annotations.NullMarked;
