import java.io.*;
import java.nio.file.*;

/** Reads messages that we wrote, prints them, and writes them again as Spark does. */
public class Echo {
    public static void main(String[] args) throws Exception {
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(Path.of(args[0])));
             ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(Path.of(args[1])))) {
            while (true) {
                Object o = in.readObject();
                System.out.println(o);
                out.writeObject(o);
                out.reset();
            }
        } catch (EOFException end) {
            return;
        }
    }
}
