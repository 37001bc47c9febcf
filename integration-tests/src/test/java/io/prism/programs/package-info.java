/** Programs that tests start in JVMs of their own. They know nothing of PRISM. */
package io.prism.programs;
