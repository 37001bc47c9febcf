package io.prism.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.testing.Cli;
import io.prism.drafter.checkpoint.CheckpointWriter;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetIdentity;
import io.prism.drafter.format.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DraftModelCommandsTest {
    private static final int D = 64;

    @TempDir
    private Path folder;

    private static Cli run(String... arguments) {
        return Cli.run(Main.commandLine(), arguments);
    }

    @Test
    void inspectSaysWhatASoundDraftModelIs() {
        write(tensors());
        Cli run = run("inspect", folder.toString());

        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains("PRISM", "model.safetensors", "(F32)", "[0, 1], the last one for further steps")
                .contains("the target's", "LLAMA, hidden size 64, vocabulary 100, fingerprint aa.bb")
                .containsPattern("Modules +2")
                .containsPattern("Usable +yes");
    }

    @Test
    void inspectListsEverythingThatIsWrong() {
        Map<String, StoredTensor> tensors = tensors();
        tensors.remove("modules.1.mlp.up_proj.weight");
        tensors.put("modules.1.mlp.up.weight", matrix(2, 2));
        write(tensors);
        Cli run = run("inspect", folder.toString());

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out())
                .contains("'modules.1.mlp.up_proj.weight' is missing", "'modules.1.mlp.up.weight' is unknown")
                .containsPattern("Usable +no");
    }

    @Test
    void inspectTellsAModelOfItsOwnAndAnEmptyFolderApart() throws IOException {
        Cli empty = run("inspect", folder.toString());
        assertThat(empty.exitCode()).isEqualTo(1);
        assertThat(empty.out()).contains("no draft model");

        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Cli model = run("inspect", folder.toString());
        assertThat(model.exitCode()).isZero();
        assertThat(model.out()).contains("a model of its own");
    }

    @Test
    void convertWritesASmallerDraftModelThatInspectFindsSound() {
        write(tensors());
        Path out = folder.resolve("small");
        assertThat(run("convert", folder.toString(), "--weights", "q4", "--out", out.toString())
                        .exitCode())
                .isZero();

        Cli run = run("inspect", out.toString());
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("(U8, F32)", "recipe: hass").containsPattern("Usable +yes");
        assertThat(out.resolve("model.safetensors").toFile().length())
                .isLessThan(folder.resolve("model.safetensors").toFile().length() / 4);
    }

    @Test
    void convertLeavesAFolderWithSomethingInItAlone() {
        write(tensors());
        Cli run = run("convert", folder.toString(), "--out", folder.toString());

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("is not empty");
    }

    private void write(Map<String, StoredTensor> tensors) {
        DrafterConfig config = new DrafterConfig(
                LayerKind.FUSION,
                List.of(0, 1),
                false,
                false,
                List.of(),
                DrafterConfig.Shape.OF_TARGET,
                new TargetIdentity("LLAMA", D, 100, "aa.bb"));
        CheckpointWriter.write(folder, config, tensors, Map.of("recipe", "hass"));
    }

    private static Map<String, StoredTensor> tensors() {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (int m = 0; m < 2; m++) {
            String name = "modules." + m + ".";
            tensors.put(name + "fusion.weight", matrix(D, 2 * D));
            tensors.put(name + "self_attn.q_proj.weight", matrix(D, D));
            tensors.put(name + "self_attn.k_proj.weight", matrix(32, D));
            tensors.put(name + "self_attn.v_proj.weight", matrix(32, D));
            tensors.put(name + "self_attn.o_proj.weight", matrix(D, D));
            tensors.put(name + "post_attention_layernorm.weight", StoredTensor.ofFloats(new float[D], D));
            tensors.put(name + "mlp.gate_proj.weight", matrix(96, D));
            tensors.put(name + "mlp.up_proj.weight", matrix(96, D));
            tensors.put(name + "mlp.down_proj.weight", matrix(D, 96));
        }
        return tensors;
    }

    private static StoredTensor matrix(int rows, int columns) {
        Random random = new Random(rows);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return StoredTensor.ofFloats(values, rows, columns);
    }
}
