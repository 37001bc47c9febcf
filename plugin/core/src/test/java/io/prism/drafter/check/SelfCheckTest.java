package io.prism.drafter.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.format.StoredTensor;
import io.prism.drafter.prism.PrismDrafterProvider;
import io.prism.drafter.standalone.StandaloneDrafter;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.Drafter;
import io.prism.spi.PrismException;
import io.prism.testing.LendingTarget;
import io.prism.testing.RandomDrafts;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfCheckTest {
    @TempDir
    Path folder;

    private Kernels kernels;
    private LendingTarget target;

    @BeforeEach
    void open() {
        kernels = KernelSelection.select("scalar", getClass().getClassLoader())
                .provider()
                .open(1);
        target = new LendingTarget(kernels, 7, true);
    }

    @AfterEach
    void close() {
        target.close();
        kernels.close();
    }

    @Test
    void aDrafterThatIsTheTargetIsAlwaysRightAndNothingIsWarnedOf() {
        SelfCheck check = SelfCheck.run(new StandaloneDrafter(target, kernels, () -> {}), target, kernels);

        assertThat(check.rounds()).isPositive();
        assertThat(check.matches()).isEqualTo(check.rounds());
        assertThat(check.warning(LendingTarget.VOCABULARY)).isEmpty();
    }

    @Test
    void aDrafterOfZerosIsSaidToBeUniform() {
        SelfCheck check = check(0);

        assertThat(check.warning(LendingTarget.VOCABULARY))
                .hasValueSatisfying(warning -> assertThat(warning).contains("almost uniform"));
    }

    @Test
    void aDrafterThatIsNeverRightIsWarnedOf() {
        assertThat(new SelfCheck(16, 0, 64, 0.5).warning(100))
                .hasValue("none of its first tokens in 16 rounds was the target's");
    }

    @Test
    void aDrafterWhoseNumbersOverflowIsRefused() {
        assertThatThrownBy(() -> check(1e30f))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("NaN");
    }

    private SelfCheck check(float weight) {
        DrafterConfig config = RandomDrafts.config(LayerKind.FUSION, List.of(0), true, List.of());
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        RandomDrafts.tensors(config, 1, null).forEach((name, tensor) -> {
            float[] values = tensor.floats();
            Arrays.fill(values, weight);
            tensors.put(
                    name,
                    StoredTensor.ofFloats(
                            values,
                            tensor.shape().stream().mapToLong(Long::longValue).toArray()));
        });
        CheckpointWriter.write(folder, config, tensors, Map.of());
        try (Drafter drafter = new PrismDrafterProvider().open(folder, target)) {
            return SelfCheck.run(drafter, target, kernels);
        }
    }
}
