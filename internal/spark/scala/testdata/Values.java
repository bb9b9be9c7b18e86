import java.io.*;
import java.nio.file.*;
import java.util.*;
import scala.collection.mutable.Builder;

/** Scala's values as its own library writes them: "write FILE" for the tests of this package. "read
 *  FILE" prints the objects of a stream that those tests wrote. It needs the jars of a Spark. */
public class Values {
    @SuppressWarnings("unchecked")
    static Object fill(Object builder, Object... items) {
        Builder<Object, Object> b = (Builder<Object, Object>) builder;
        for (Object o : items) b.$plus$eq(o);
        return b.result();
    }

    static Object[] some(int n) {
        Object[] items = new Object[n];
        for (int i = 0; i < n; i++) items[i] = "e" + i;
        return items;
    }

    static Object[] entries(int n) {
        Object[] items = new Object[n];
        for (int i = 0; i < n; i++) items[i] = new scala.Tuple2<>("k" + i, i);
        return items;
    }

    static Object wrapped(String... items) throws Exception {
        for (var m : scala.runtime.ScalaRunTime.class.getMethods())
            if (m.getName().equals("wrapRefArray")) return m.invoke(null, (Object) items);  // 2.13: immutable
        return scala.Predef$.MODULE$.wrapRefArray(items);
    }

    @SuppressWarnings("unchecked")
    /** Each with its kind and how many it holds: the tests expect e0, e1, ... or k0 -> 0, k1 -> 1, ... */
    static Map<String, Object> all() throws Exception {
        Map<String, Object> all = new LinkedHashMap<>();
        for (int n : new int[] {0, 1, 3, 40, 1100}) {
            all.put("seq List " + n, fill(scala.collection.immutable.List$.MODULE$.newBuilder(), some(n)));
            Object vector = fill(scala.collection.immutable.Vector$.MODULE$.newBuilder(), some(n));
            all.put("seq Vector " + n, vector);
            all.put("seq ArrayBuffer " + n, fill(scala.collection.mutable.ArrayBuffer$.MODULE$.newBuilder(), some(n)));
            all.put("seq ListBuffer " + n, buffer(n));
            all.put("map Map " + n, fill(scala.collection.immutable.Map$.MODULE$.newBuilder(), entries(n)));
            scala.collection.mutable.HashMap<Object, Object> m = new scala.collection.mutable.HashMap<>();
            for (int i = 0; i < n; i++) m.put("k" + i, i);
            all.put("map mutable.HashMap " + n, m);
        }
        for (int n : new int[] {2, 3, 4, 5})
            all.put("map small " + n, fill(scala.collection.immutable.Map$.MODULE$.newBuilder(), entries(n)));
        all.put("seq Queue 3", ((scala.collection.immutable.Queue<Object>) fill(scala.collection.immutable.Queue$.MODULE$.newBuilder(), some(2))).enqueue((Object) "e2"));
        for (var m : scala.collection.mutable.ArraySeq$.class.getMethods())  // 2.12; in 2.13 it is another thing
            if (m.getName().equals("newBuilder") && m.getParameterCount() == 0)
                all.put("seq ArraySeq 3", fill(m.invoke(scala.collection.mutable.ArraySeq$.MODULE$), some(3)));
        all.put("map with default 3", withDefault(fill(scala.collection.immutable.Map$.MODULE$.newBuilder(), entries(3))));
        all.put("seq wrapped 2", wrapped("e0", "e1"));
        all.put("seq mutable wrapped 2", scala.Predef$.MODULE$.wrapRefArray(new String[] {"e0", "e1"}));
        all.put("seq Stream 3", ((scala.collection.immutable.List<?>) fill(scala.collection.immutable.List$.MODULE$.newBuilder(), some(3))).toStream().force());
        changed(all);
        all.put("none", scala.Option.empty());
        all.put("some string", scala.Option.apply("e0"));
        all.put("some int", scala.Option.apply((Object) 7));
        all.put("enum org.apache.spark.deploy.ExecutorState$ 5", org.apache.spark.deploy.ExecutorState.EXITED());
        all.put("enum org.apache.spark.deploy.master.DriverState$ 0", org.apache.spark.deploy.master.DriverState.SUBMITTED());
        all.put("module org.apache.spark.deploy.DeployMessages$MasterInStandby$", org.apache.spark.deploy.DeployMessages.MasterInStandby$.MODULE$);
        return all;
    }

    /** Vectors of 2.12 that were changed after they were built: parts of them are in their displays. */
    static void changed(Map<String, Object> all) throws Exception {
        for (int n : new int[] {33, 1100}) {
            Object v = fill(scala.collection.immutable.Vector$.MODULE$.newBuilder(), some(n));
            for (var m : v.getClass().getMethods()) {
                if (m.getName().equals("updateAt")) all.put("seq changed " + n, m.invoke(v, 5, "e5"));
                if (m.getName().equals("appendBack")) all.put("seq longer " + (n + 1), m.invoke(v, "e" + n));
            }
        }
    }

    @SuppressWarnings("unchecked")
    static Object withDefault(Object map) {
        return ((scala.collection.immutable.Map<Object, Object>) map).withDefaultValue("none");
    }

    static Object buffer(int n) {
        scala.collection.mutable.ListBuffer<Object> b = new scala.collection.mutable.ListBuffer<>();
        for (Object o : some(n)) b.$plus$eq(o);
        return b;
    }

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        if (args[0].equals("write")) {
            try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
                for (var e : all().entrySet()) {
                    out.writeObject(e.getKey());
                    out.writeObject(e.getValue());
                    out.reset();
                }
            }
            return;
        }
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
            while (true) {
                Object o = in.readObject();
                String same = o == org.apache.spark.deploy.ExecutorState.EXITED() || o == org.apache.spark.deploy.DeployMessages.MasterInStandby$.MODULE$ ? " itself" : "";
                System.out.println(o.getClass().getName() + " " + o + same);
            }
        } catch (EOFException end) {
            return;
        }
    }
}
