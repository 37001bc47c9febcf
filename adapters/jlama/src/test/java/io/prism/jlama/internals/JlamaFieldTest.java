package io.prism.jlama.internals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import org.junit.jupiter.api.Test;

class JlamaFieldTest {
    private record Engine(String name, float size) {}

    @Test
    void privateFieldsAreRead() {
        Engine engine = new Engine("jlama", 2);
        assertThat(new JlamaField<>(Engine.class, "name", String.class).get(engine))
                .isEqualTo("jlama");
        assertThat(new JlamaField<>(Engine.class, "size", Float.class).get(engine))
                .isEqualTo(2);
    }

    @Test
    void aMissingFieldIsReportedWithTheVersionExpected() {
        JlamaField<String> field = new JlamaField<>(Engine.class, "colour", String.class);
        assertThatThrownBy(() -> field.get(new Engine("jlama", 2)))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("colour")
                .hasMessageContaining("Jlama 0.8.4");
    }

    @Test
    void aFieldThatIsNotSetIsReported() {
        JlamaField<String> field = new JlamaField<>(Engine.class, "name", String.class);
        assertThatThrownBy(() -> field.get(new Engine(null, 2)))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("Engine.name is not set");
        assertThat(field.find(new Engine(null, 2))).isNull();
    }
}
