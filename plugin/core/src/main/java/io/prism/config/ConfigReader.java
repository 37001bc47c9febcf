package io.prism.config;

import io.prism.config.PrismConfig.Mode;
import io.prism.config.PrismConfig.Stats;
import io.prism.spi.Activations;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads the sources of configuration in their order and says exactly what is wrong with a value. */
final class ConfigReader {
    private static final String PREFIX = "prism.";
    private static final String ENVIRONMENT_PREFIX = "PRISM_";
    private static final int MOST_THREADS = 1024;

    /**
     * System properties under our prefix that are not flags: places that the project's own tests and launcher are told,
     * and the public switches of JavaFX's renderer, which has the same name.
     */
    private static final Set<String> NOT_FLAGS = Set.of(
            "prism.shared",
            "prism.home",
            "prism.order",
            "prism.verbose",
            "prism.text",
            "prism.lcdtext",
            "prism.allowhidpi",
            "prism.forceGPU",
            "prism.forcerepaint",
            "prism.maxvram",
            "prism.vsync",
            "prism.debug",
            "prism.trace",
            "prism.dirtyopts",
            "prism.cacheshapes",
            "prism.printStats",
            "prism.showdirty");

    /** Environment variables under our prefix that are not flags. */
    private static final Set<String> NOT_FLAG_VARIABLES =
            Set.of("PRISM_SHARED", "PRISM_HOME", "PRISM_JAVA_HOME", "PRISM_JAVA_OPTS", "PRISM_OPTS");

    /**
     * A variable this far from a flag's name is taken for a misspelt flag; one farther off belongs to another program,
     * as many a program's variables may start with the same word.
     */
    private static final int MISSPELT = 2;

    private record Found(String value, String origin) {}

    private final Properties systemProperties;
    private final Map<String, String> environment;
    private final Optional<Path> propertiesFile;
    private final Map<String, String> fileValues;

    ConfigReader(Properties systemProperties, Map<String, String> environment, Optional<Path> propertiesFile) {
        this.systemProperties = systemProperties;
        this.environment = environment;
        this.propertiesFile = propertiesFile;
        this.fileValues = propertiesFile.map(ConfigReader::readFile).orElse(Map.of());
    }

    /** Reads system properties, environment, and the file beside the drafter that they or the model folder name. */
    static ConfigReader ofProcess(Optional<Path> modelFolder) {
        Properties properties = System.getProperties();
        Map<String, String> environment = System.getenv();
        Optional<Path> named = new ConfigReader(properties, environment, Optional.empty())
                .find(Flag.DRAFTER)
                .map(Found::value)
                .map(ConfigReader::asFolder);
        Optional<Path> folder = named.or(() -> modelFolder.map(model -> model.resolve(PrismConfig.DRAFTER_FOLDER)));
        return new ConfigReader(properties, environment, folder.map(it -> it.resolve(PrismConfig.FILE_NAME)));
    }

    PrismConfig read() {
        refuseUnknown();
        return new PrismConfig(
                value(Flag.ENABLED, text -> choice(Mode.class, text)).orElse(Mode.AUTO),
                value(Flag.DRAFTER, text -> text.isBlank() ? null : text),
                value(Flag.KERNELS, text -> text.matches("[a-z][a-z0-9-]*") ? text : null)
                        .orElse("auto"),
                value(Flag.THREADS, text -> between(0, MOST_THREADS, text)).orElse(0),
                value(Flag.REPACK, ConfigReader::yesOrNo).orElse(true),
                value(Flag.ACTIVATIONS, text -> choice(Activations.class, text)).orElse(Activations.AUTO),
                value(Flag.TREE, ConfigReader::tree).orElse(TreeSpec.AUTO),
                unless("auto", Flag.KV_MEMORY, text -> between(1, Integer.MAX_VALUE, text)),
                unlessOff(Flag.TOP_P, ConfigReader::share),
                unlessOff(Flag.TOP_K, text -> between(1, Integer.MAX_VALUE, text)),
                unlessOff(Flag.SEED, ConfigReader::wholeNumber)
                        .map(OptionalLong::of)
                        .orElse(OptionalLong.empty()),
                value(Flag.STATS, text -> choice(Stats.class, text)).orElse(Stats.LOG));
    }

    private Optional<Found> find(Flag flag) {
        String property = systemProperties.getProperty(flag.property());
        if (property != null) {
            return Optional.of(new Found(property.strip(), "system property -D" + flag.property()));
        }
        String variable = environment.get(flag.environmentVariable());
        if (variable != null && !variable.isBlank()) {
            return Optional.of(new Found(variable.strip(), "environment variable " + flag.environmentVariable()));
        }
        String line = fileValues.get(flag.property());
        return line == null
                ? Optional.empty()
                : Optional.of(new Found(line.strip(), "file " + propertiesFile.orElseThrow()));
    }

    private <T> Optional<T> value(Flag flag, Function<String, @Nullable T> parse) {
        return find(flag).map(found -> {
            @Nullable T parsed = parse.apply(found.value());
            if (parsed == null) {
                throw new PrismException("Flag " + flag.property() + " has the value '" + found.value() + "' ("
                        + found.origin() + "): expected " + flag.accepted() + ".");
            }
            return parsed;
        });
    }

    private <T> Optional<T> unlessOff(Flag flag, Function<String, @Nullable T> parse) {
        return unless("off", flag, parse);
    }

    private <T> Optional<T> unless(String none, Flag flag, Function<String, @Nullable T> parse) {
        return value(flag, text -> {
                    if (text.equalsIgnoreCase(none)) {
                        return Optional.<T>empty();
                    }
                    @Nullable T parsed = parse.apply(text);
                    return parsed == null ? null : Optional.of(parsed);
                })
                .flatMap(Function.identity());
    }

    private void refuseUnknown() {
        for (String name : systemProperties.stringPropertyNames()) {
            if (name.startsWith(PREFIX) && !isFlag(name) && !NOT_FLAGS.contains(name)) {
                throw unknown(
                        name,
                        "system property -D" + name,
                        nearest(name, Flag::property).property());
            }
        }
        for (String name : fileValues.keySet()) {
            if (!isFlag(name)) {
                throw unknown(
                        name,
                        "file " + propertiesFile.orElseThrow(),
                        nearest(name, Flag::property).property());
            }
        }
        for (String name : environment.keySet()) {
            if (name.startsWith(ENVIRONMENT_PREFIX) && !NOT_FLAG_VARIABLES.contains(name)) {
                String known = nearest(name, Flag::environmentVariable).environmentVariable();
                int distance = editDistance(name, known);
                if (distance > 0 && distance <= MISSPELT) {
                    throw unknown(name, "environment variable", known);
                }
            }
        }
    }

    private static PrismException unknown(String name, String origin, String nearest) {
        return new PrismException("Unknown flag '" + name + "' (" + origin + "). Did you mean '" + nearest
                + "'? Known flags: "
                + String.join(
                        ", ", Arrays.stream(Flag.values()).map(Flag::property).toList()) + ".");
    }

    private static boolean isFlag(String name) {
        return Arrays.stream(Flag.values()).anyMatch(flag -> flag.property().equals(name));
    }

    private static Flag nearest(String name, Function<Flag, String> spelling) {
        Flag best = Flag.ENABLED;
        for (Flag flag : Flag.values()) {
            if (editDistance(name, spelling.apply(flag)) < editDistance(name, spelling.apply(best))) {
                best = flag;
            }
        }
        return best;
    }

    /** Levenshtein's distance. */
    static int editDistance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    private static Map<String, String> readFile(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (NoSuchFileException absent) {
            return Map.of();
        } catch (IOException | IllegalArgumentException e) {
            throw new PrismException(
                    "Can't read " + file + " (" + e + "): expected a properties file in UTF-8 with lines such as "
                            + Flag.TREE.property() + "=auto.",
                    e);
        }
        Map<String, String> values = new HashMap<>();
        properties.stringPropertyNames().forEach(name -> values.put(name, properties.getProperty(name)));
        return values;
    }

    private static @Nullable Path asFolder(String drafter) {
        try {
            Path path = Path.of(drafter);
            return Files.isDirectory(path) ? path : null;
        } catch (InvalidPathException notAPath) {
            return null;
        }
    }

    private static <E extends Enum<E>> @Nullable E choice(Class<E> type, String text) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(text.toUpperCase(Locale.ROOT))) {
                return constant;
            }
        }
        return null;
    }

    private static @Nullable Boolean yesOrNo(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> Boolean.TRUE;
            case "false" -> Boolean.FALSE;
            default -> null;
        };
    }

    private static @Nullable Long wholeNumber(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable Integer between(int least, int most, String text) {
        Long number = wholeNumber(text);
        return number == null || number < least || number > most ? null : number.intValue();
    }

    private static @Nullable Float share(String text) {
        try {
            float number = Float.parseFloat(text);
            return number > 0 && number <= 1 ? number : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable TreeSpec tree(String text) {
        if (text.equalsIgnoreCase("auto")) {
            return TreeSpec.AUTO;
        }
        String[] parts = text.split(",", -1);
        Integer[] numbers = Arrays.stream(parts)
                .map(part -> between(1, MOST_THREADS, part.strip()))
                .toArray(Integer[]::new);
        boolean valid = numbers.length == 3 && Arrays.stream(numbers).allMatch(number -> number != null);
        return valid ? TreeSpec.of(numbers[0], numbers[1], numbers[2]) : null;
    }
}
