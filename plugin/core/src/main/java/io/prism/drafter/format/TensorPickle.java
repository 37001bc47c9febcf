package io.prism.drafter.format;

import io.prism.spi.PrismException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the one kind of pickle that a state dict of tensors is: a closed list of opcodes over a closed list of names,
 * none of which stands for code that runs. A pickle is a program for a stack machine that may name any function of
 * Python; whatever is not on the lists is refused.
 */
final class TensorPickle {
    private static final int MAX_LONG_BYTES = 8;
    private static final int PROTOCOL = 2;
    private static final int MAX_DEPTH = 1 << 20;

    private static final int PROTO = 0x80;
    private static final int TUPLE1 = 0x85;
    private static final int TUPLE2 = 0x86;
    private static final int TUPLE3 = 0x87;
    private static final int NEWTRUE = 0x88;
    private static final int NEWFALSE = 0x89;
    private static final int LONG1 = 0x8a;

    /** What the names on the closed list stand for. */
    private enum Name {
        ORDERED_DICT,
        REBUILD_TENSOR,
        REBUILD_PARAMETER
    }

    private static final Map<String, Object> NAMES = Map.ofEntries(
            Map.entry("collections OrderedDict", Name.ORDERED_DICT),
            Map.entry("torch._utils _rebuild_tensor_v2", Name.REBUILD_TENSOR),
            Map.entry("torch._utils _rebuild_parameter", Name.REBUILD_PARAMETER),
            Map.entry("torch DoubleStorage", ElementType.F64),
            Map.entry("torch FloatStorage", ElementType.F32),
            Map.entry("torch HalfStorage", ElementType.F16),
            Map.entry("torch BFloat16Storage", ElementType.BF16),
            Map.entry("torch LongStorage", ElementType.I64),
            Map.entry("torch IntStorage", ElementType.I32),
            Map.entry("torch ShortStorage", ElementType.I16),
            Map.entry("torch CharStorage", ElementType.I8),
            Map.entry("torch ByteStorage", ElementType.U8),
            Map.entry("torch BoolStorage", ElementType.BOOL));

    private static final Object MARK = new Object();

    private final Path path;
    private final ByteBuffer in;
    private final Deque<Object> stack = new ArrayDeque<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    private TensorPickle(Path path, byte[] pickle) {
        this.path = path;
        this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a pickle.
     *
     * @param path for messages
     * @return the tensors by name
     * @throws PrismException if it holds anything but a dictionary of tensors
     */
    static Map<String, Tensor> read(Path path, byte[] pickle) {
        TensorPickle reader = new TensorPickle(path, pickle);
        try {
            return reader.tensors(reader.run());
        } catch (BufferUnderflowException
                | NoSuchElementException
                | ClassCastException
                | IndexOutOfBoundsException e) {
            throw new PrismException(
                    path + ": its pickle index is malformed at byte " + reader.in.position()
                            + ". Use a model.safetensors instead",
                    e);
        }
    }

    private Map<String, Tensor> tensors(Object result) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        if (!(result instanceof Dictionary dictionary)) {
            throw new PrismException(path + " holds a " + kind(result) + ", expected a dictionary of tensors");
        }
        dictionary.entries.forEach((name, value) -> {
            if (!(name instanceof String text) || !(value instanceof Tensor tensor)) {
                throw new PrismException(path + ": entry '" + name + "' is a " + kind(value)
                        + ", expected a tensor. Save the state dict alone, or use a model.safetensors");
            }
            tensors.put(text, tensor);
        });
        return tensors;
    }

    private Object run() {
        while (true) {
            int opcode = in.get() & 0xFF;
            switch (opcode) {
                case PROTO -> {
                    int version = in.get() & 0xFF;
                    if (version != PROTOCOL) {
                        throw refused("protocol " + version);
                    }
                }
                case 'c' -> push(name(line() + " " + line()));
                case 'q' -> memo.put(in.get() & 0xFF, stack.element());
                case 'r' -> memo.put(in.getInt(), stack.element());
                case 'h' -> push(recall(in.get() & 0xFF));
                case 'j' -> push(recall(in.getInt()));
                case '(' -> push(MARK);
                case ')' -> push(List.of());
                case ']' -> push(new ArrayList<>());
                case '}' -> push(new Dictionary());
                case 'N' -> push(Optional.empty());
                case NEWTRUE -> push(true);
                case NEWFALSE -> push(false);
                case 'J' -> push((long) in.getInt());
                case 'K' -> push((long) (in.get() & 0xFF));
                case 'M' -> push((long) (in.getShort() & 0xFFFF));
                case LONG1 -> push(longValue());
                case 'X' -> push(text(in.getInt()));
                case 't' -> push(popToMark());
                case TUPLE1 -> push(popTuple(1));
                case TUPLE2 -> push(popTuple(2));
                case TUPLE3 -> push(popTuple(3));
                case 's' -> {
                    Object value = stack.pop();
                    Object key = stack.pop();
                    dictionary(stack.element()).entries.put(key, value);
                }
                case 'u' -> {
                    List<Object> items = popToMark();
                    Dictionary dictionary = dictionary(stack.element());
                    for (int i = 0; i < items.size(); i += 2) {
                        dictionary.entries.put(items.get(i), items.get(i + 1));
                    }
                }
                case 'Q' -> push(storage(list(stack.pop())));
                case 'R' -> {
                    List<?> arguments = list(stack.pop());
                    push(reduce(stack.pop(), arguments));
                }
                case 'b' -> {
                    // the attributes of a state dict (its _metadata), which say nothing about tensors
                    dictionary(stack.pop());
                    dictionary(stack.element());
                }
                case '.' -> {
                    return stack.pop();
                }
                default -> throw refused("opcode 0x" + Integer.toHexString(opcode) + " at byte " + (in.position() - 1));
            }
        }
    }

    private Object name(String name) {
        Object known = NAMES.get(name);
        if (known == null) {
            throw refused("the name '" + name.replace(' ', '.') + "'");
        }
        return known;
    }

    private Object reduce(Object function, List<?> arguments) {
        if (function == Name.ORDERED_DICT && arguments.isEmpty()) {
            return new Dictionary();
        }
        if (function == Name.REBUILD_TENSOR
                && arguments.size() >= 4
                && arguments.get(0) instanceof Storage storage
                && arguments.get(1) instanceof Long offset
                && offset >= 0) {
            List<Long> shape = sizes(list(arguments.get(2)));
            List<Long> strides = sizes(list(arguments.get(3)));
            if (shape.size() == strides.size()) {
                return new Tensor(storage, offset, shape, strides);
            }
        }
        if (function == Name.REBUILD_PARAMETER
                && !arguments.isEmpty()
                && arguments.getFirst() instanceof Tensor parameter) {
            return parameter;
        }
        throw refused("a call of " + kind(function) + " with unexpected arguments");
    }

    private static List<Long> sizes(List<?> values) {
        List<Long> sizes = new ArrayList<>();
        for (Object value : values) {
            long size = (Long) value;
            if (size < 0) {
                throw new IndexOutOfBoundsException("negative size " + size);
            }
            sizes.add(size);
        }
        return sizes;
    }

    /** A persistent id: ("storage", type, key, device, elements). */
    private Storage storage(List<?> id) {
        if (id.size() == 5
                && "storage".equals(id.get(0))
                && id.get(1) instanceof ElementType type
                && id.get(2) instanceof String key
                && id.get(4) instanceof Long elements
                && elements >= 0) {
            return new Storage(type, key, elements);
        }
        throw refused("a persistent id that is no storage of a tensor");
    }

    private void push(Object value) {
        if (stack.size() >= MAX_DEPTH) {
            throw refused("a stack of more than " + MAX_DEPTH + " values");
        }
        stack.push(value);
    }

    private Object recall(int key) {
        Object value = memo.get(key);
        if (value == null) {
            throw refused("a reference to value " + key + ", which was never stored");
        }
        return value;
    }

    private List<Object> popToMark() {
        List<Object> items = new ArrayList<>();
        for (Object item = stack.pop(); item != MARK; item = stack.pop()) {
            items.add(item);
        }
        return items.reversed();
    }

    private List<Object> popTuple(int count) {
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            items.add(stack.pop());
        }
        return items.reversed();
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            continue;
        }
        return new String(in.array(), start, in.position() - 1 - start, StandardCharsets.UTF_8);
    }

    private String text(int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }

    private long longValue() {
        int length = in.get() & 0xFF;
        if (length > MAX_LONG_BYTES) {
            throw refused("an integer of " + length + " bytes");
        }
        long value = 0;
        for (int i = 0; i < length; i++) {
            long part = i == length - 1 ? in.get() : in.get() & 0xFF;
            value |= part << (8 * i);
        }
        return value;
    }

    private static List<?> list(Object value) {
        return (List<?>) value;
    }

    private static Dictionary dictionary(Object value) {
        return (Dictionary) value;
    }

    private static String kind(@Nullable Object value) {
        return value == null ? "nothing" : value instanceof Name ? value.toString() : value.getClass().getSimpleName();
    }

    private PrismException refused(String what) {
        return new PrismException(path + " is refused: its pickle index uses " + what
                + ", which a file of tensors has no need of. Such files can run code elsewhere; use a model.safetensors"
                + " instead");
    }

    /** A run of elements in a file of its own. */
    record Storage(ElementType type, String key, long elements) {}

    /** A view on a storage; sizes in elements. */
    record Tensor(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

    private static final class Dictionary {
        private final Map<Object, Object> entries = new LinkedHashMap<>();
    }
}
