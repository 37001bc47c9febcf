package io.prism.programs;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;

/**
 * Runs a program on a class loader of its own, as application servers and executable jars do: the loader's parent
 * ({@code platform} or {@code system}), its class path, the main class and its arguments in.
 */
public final class RunInChildLoader {

    private RunInChildLoader() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
        ClassLoader parent = arguments[0].equals("platform")
                ? ClassLoader.getPlatformClassLoader()
                : ClassLoader.getSystemClassLoader();
        URL[] classPath = Arrays.stream(arguments[1].split(File.pathSeparator))
                .map(RunInChildLoader::url)
                .toArray(URL[]::new);
        // stays open: it is the application's
        @SuppressWarnings("resource")
        URLClassLoader loader = new URLClassLoader(classPath, parent);
        Thread.currentThread().setContextClassLoader(loader);
        loader.loadClass(arguments[2]).getMethod("main", String[].class).invoke(null, (Object)
                Arrays.copyOfRange(arguments, 3, arguments.length));
    }

    private static URL url(String path) {
        try {
            return new File(path).toURI().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(path, e);
        }
    }
}
