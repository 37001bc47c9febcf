/** Started from its source, so that any JVM of the tests' machine can run it. */
public class Hello {
    public static void main(String[] arguments) {
        System.out.println("hello");
    }
}
