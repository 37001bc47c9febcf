package io.prism.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Uses vectors of a length that is not the preferred one, as another library in the same program may, once in a JVM. */
final class OtherVectorLength implements BeforeEachCallback {
    /** Enough for the methods of the Vector API to be compiled with a profile, and for the profile to be full of these. */
    private static final int CALLS = 20_000;

    private static final VectorShape SHAPE = FloatVector.SPECIES_PREFERRED.vectorShape() == VectorShape.S_256_BIT
            ? VectorShape.S_128_BIT
            : VectorShape.S_256_BIT;

    private static boolean used;

    @Override
    public void beforeEach(ExtensionContext context) {
        if (!used) {
            used = true;
            use();
        }
    }

    private static void use() {
        VectorSpecies<Float> floats = VectorSpecies.of(float.class, SHAPE);
        VectorSpecies<Integer> ints = VectorSpecies.of(int.class, SHAPE);
        VectorSpecies<Short> shorts = VectorSpecies.of(short.class, SHAPE);
        float[] f = new float[floats.length()];
        int[] i = new int[ints.length()];
        short[] s = new short[shorts.length()];
        for (int call = 0; call < CALLS; call++) {
            FloatVector x = FloatVector.fromArray(floats, f, 0);
            x.fma(FloatVector.broadcast(floats, 1), x).add(x).mul(x).max(x).intoArray(f, 0);
            IntVector y = IntVector.fromArray(ints, i, 0);
            y.and(y).or(y).add(y).lanewise(VectorOperators.LSHR, 1).intoArray(i, 0);
            y.reinterpretAsFloats().sub(x).reinterpretAsInts().and(0).intoArray(i, 0);
            ShortVector z = ShortVector.fromArray(shorts, s, 0);
            z.and(z).add(z).mul(z).lanewise(VectorOperators.LSHR, 1).intoArray(s, 0);
            y.reinterpretAsShorts().add(z).reinterpretAsInts().and(0).intoArray(i, 0);
        }
    }
}
