/** Many requests at once, for long, with everything going wrong that can. */
package io.prism.integration.soak;
