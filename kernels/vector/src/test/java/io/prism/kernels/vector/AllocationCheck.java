package io.prism.kernels.vector;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that kernels allocate nothing once warm. Such tests run in a JVM of their own (see the module's build), in which vectors
 * of another length were used before: the JIT compiler records what it sees in the Vector API's methods, which all code shares.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Tag("allocation")
@ExtendWith(OtherVectorLength.class)
@interface AllocationCheck {}
