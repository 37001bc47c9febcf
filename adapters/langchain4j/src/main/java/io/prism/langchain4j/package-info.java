/**
 * PRISM under LangChain4j's Jlama models: with this jar on the class path, what their builders build generates with PRISM. No
 * agent is needed.
 */
@NullMarked
package io.prism.langchain4j;

import org.jspecify.annotations.NullMarked;
