package io.prism.jlama.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ObstacleTest {

    @Test
    void nothingStandsInTheWayOnJava25WithTheVectorModule() {
        assertThat(Obstacle.inJvm(25, true)).isEmpty();
        assertThat(Obstacle.inJvm(26, true)).isEmpty();
    }

    @Test
    void anOlderJavaIsNamedBeforeAMissingModule() {
        assertThat(Obstacle.inJvm(21, false).orElseThrow().message())
                .contains("this is Java 21")
                .contains("needs Java 25")
                .contains("run the program on a newer JDK");
    }

    @Test
    void aMissingVectorModuleIsNamedWithTheOptionThatAddsIt() {
        assertThat(Obstacle.inJvm(25, false).orElseThrow().message()).contains("--add-modules jdk.incubator.vector");
    }

    @Test
    void theJlamaThatTheTestsRunOnIsTheSupportedOne() {
        assertThat(Obstacle.inJlama(ObstacleTest.class.getClassLoader())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"true, auto, false, true", ",true,false,true", ",,false,false", "FALSE, true, true, false"})
    void aSystemPropertyGoesBeforeTheEnvironment(String property, String variable, boolean disabled, boolean required) {
        Properties properties = new Properties();
        if (property != null) {
            properties.setProperty("prism.enabled", property);
        }
        AgentSettings settings =
                AgentSettings.of(properties, variable == null ? Map.of() : Map.of("PRISM_ENABLED", variable));

        assertThat(settings).isEqualTo(new AgentSettings(disabled, required));
    }
}
