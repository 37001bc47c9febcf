package io.prism.jlama.expansion;

import java.util.Optional;

/**
 * Where a tensor's elements go when a model grows.
 *
 * @param rows for a vector, its one row
 * @param columns elements of a row
 * @param isNorm whether it is a norm's weights, which are rescaled
 */
record Placement(Axis rows, Axis columns, boolean isNorm) {
    private static final Axis ONE_ROW = Axis.padded(1, 1);

    static Placement matrix(Axis rows, Axis columns) {
        return new Placement(rows, columns, false);
    }

    static Placement vector(Axis elements) {
        return new Placement(ONE_ROW, elements, false);
    }

    static Placement norm(Growth growth) {
        return new Placement(ONE_ROW, growth.hidden(), true);
    }

    /** Whether it has one dimension; a file may tell a vector's shape as one row. */
    boolean isVector() {
        return rows.equals(ONE_ROW);
    }

    /** The same with nothing but zeros in it. */
    Placement zeroed() {
        return new Placement(rows, Axis.zero(columns.size()), isNorm);
    }

    /**
     * A tensor of a decoder layer, the target's or a draft model's.
     *
     * @param name without the layer's prefix
     * @param input what queries, keys and values are made from
     * @return empty if a decoder layer has no such tensor
     */
    static Optional<Placement> inLayer(String name, Growth growth, Axis input) {
        return Optional.ofNullable(
                switch (name) {
                    case "input_layernorm.weight", "hidden_norm.weight", "post_attention_layernorm.weight" ->
                        norm(growth);
                    case "self_attn.q_proj.weight" -> matrix(growth.query(), input);
                    case "self_attn.k_proj.weight", "self_attn.v_proj.weight" -> matrix(growth.keyValue(), input);
                    case "self_attn.q_proj.bias" -> vector(growth.query());
                    case "self_attn.k_proj.bias", "self_attn.v_proj.bias" -> vector(growth.keyValue());
                    case "self_attn.o_proj.weight" -> matrix(growth.hidden(), growth.query());
                    case "self_attn.o_proj.bias" -> vector(growth.hidden());
                    case "mlp.gate_proj.weight", "mlp.up_proj.weight" -> matrix(growth.mlp(), growth.hidden());
                    case "mlp.down_proj.weight" -> matrix(growth.hidden(), growth.mlp());
                    default -> null;
                });
    }
}
