import java.nio.file.*;
import java.util.*;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.*;

/** Throws darts at a circle, and adds numbers with a shuffle. Before that, by its first argument:
 *  "fail FILE" notes its run in the file and fails in the first two; "wait FILE" waits for the file;
 *  "idle FILE" works, then waits for the file, and then works again. */
public class App {
    public static void main(String[] args) throws Exception {
        String mode = args.length == 2 ? args[0] : "";
        if (mode.equals("fail")) {
            Path runs = Path.of(args[1]);
            Files.writeString(runs, "x", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            if (Files.size(runs) < 3) System.exit(3);
        }
        try (JavaSparkContext sc = new JavaSparkContext(new SparkConf().setAppName("App"))) {
            if (mode.equals("idle")) work(sc);
            if (mode.equals("wait") || mode.equals("idle"))
                while (!Files.exists(Path.of(args[1]))) Thread.sleep(100);
            work(sc);
        }
    }

    static void work(JavaSparkContext sc) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) numbers.add(i);
        long hits = sc.parallelize(numbers, 2).map(seed -> {
            Random r = new Random(seed);
            int in = 0;
            for (int i = 0; i < 100; i++) {
                double x = r.nextDouble(), y = r.nextDouble();
                if (x * x + y * y < 1) in++;
            }
            return in;
        }).reduce(Integer::sum);
        var byDigit = sc.parallelize(numbers, 4).mapToPair(i -> new scala.Tuple2<>(i % 10, i)).reduceByKey(Integer::sum);
        System.out.println("pi 3." + (hits * 4 / 10000 % 10) + " sum " + byDigit.values().reduce(Integer::sum) + " keys " + byDigit.count());
    }
}
