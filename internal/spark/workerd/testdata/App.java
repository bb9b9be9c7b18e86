import java.nio.file.*;
import java.util.*;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.*;

/** Adds numbers with a shuffle. "fail FILE" first fails twice, and notes each run in the file; "wait FILE"
 *  waits for the file between its start and its work. */
public class App {
    public static void main(String[] args) throws Exception {
        if (args.length == 2 && args[0].equals("fail")) {
            Path runs = Path.of(args[1]);
            Files.writeString(runs, "x", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            if (Files.size(runs) < 3) System.exit(3);
        }
        try (JavaSparkContext sc = new JavaSparkContext(new SparkConf().setAppName("App"))) {
            if (args.length == 2 && args[0].equals("wait"))
                while (!Files.exists(Path.of(args[1]))) Thread.sleep(100);
            List<Integer> numbers = new ArrayList<>();
            for (int i = 0; i < 1000; i++) numbers.add(i);
            var byDigit = sc.parallelize(numbers, 4).mapToPair(i -> new scala.Tuple2<>(i % 10, i)).reduceByKey(Integer::sum);
            System.out.println("sum " + byDigit.values().reduce(Integer::sum) + " keys " + byDigit.count());
        }
    }
}
