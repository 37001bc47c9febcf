import com.github.tjake.jlama.cli.commands.CompleteCommand;
import picocli.CommandLine;

/** Jlama's command `complete` alone: its main class does not start without jlama-net, which is not on Maven Central. */
public class Complete {
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new CompleteCommand()).execute(arguments));
    }
}
