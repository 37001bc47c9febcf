/**
 * The Java agent: checks that work on any JVM from 17 on, and the hook into Jlama. Everything else of PRISM needs Java 25
 * and is loaded by {@link io.prism.jlama.agent.JlamaHooks} once the checks have passed and Jlama has been seen.
 *
 * <p>This package is compiled for Java 17 and uses nothing but the JDK and ByteBuddy.
 */
package io.prism.jlama.agent;
