import java.io.*;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.*;
import java.time.LocalDate;
import java.util.*;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** One of every kind of thing that a stream can hold. "write FILE" writes them, "show FILE" reads a
 *  file and prints what it found, one line for each object. */
public class Zoo {
    enum Plain { RED, GREEN }

    enum Bodied {
        LOUD { @Override String say() { return "LOUD"; } };
        abstract String say();
    }

    static class Parent { int lost = 7; }

    static class Child extends Parent implements Serializable {
        private static final long serialVersionUID = 1;
        boolean z = true; byte b = -2; char c = '\uFFFE'; short s = -3; int i = 4; long l = -5L;
        float f = 1.5f; double d = -2.25;
        String text = "text";
        Object nothing = null;
        transient int skipped = 9;
        int[] numbers = {1, -1};
        @Override public String toString() {
            return z + " " + b + " " + (int) c + " " + s + " " + i + " " + l + " " + f + " " + d + " " + text
                + " " + nothing + " " + Arrays.toString(numbers);
        }
    }

    static class Grandchild extends Child {
        private static final long serialVersionUID = 2;
        String more = "more";
        @Override public String toString() { return super.toString() + " " + more; }
    }

    static class Custom implements Serializable {
        private static final long serialVersionUID = 3;
        int kept = 1;
        transient int n = 300;
        private void writeObject(ObjectOutputStream out) throws IOException {
            out.defaultWriteObject();
            out.writeInt(n);
            out.writeObject("between");
            out.write(new byte[n]);
            out.writeUTF("end");
        }
        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            n = in.readInt();
            if (!"between".equals(in.readObject())) throw new IOException("lost in between");
            in.readFully(new byte[n]);
            if (!"end".equals(in.readUTF())) throw new IOException("lost the end");
        }
        @Override public String toString() { return "custom " + kept + " " + n; }
    }

    public static class Outside implements Externalizable {
        private static final long serialVersionUID = 4;
        String name;
        public Outside() {}
        Outside(String name) { this.name = name; }
        @Override public void writeExternal(ObjectOutput out) throws IOException {
            out.writeInt(5);
            out.writeObject(name);
            out.writeLong(6);
        }
        @Override public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
            int five = in.readInt();
            name = (String) in.readObject();
            if (five != 5 || in.readLong() != 6) throw new IOException("wrong external data");
        }
        @Override public String toString() { return "outside " + name; }
    }

    static class Put implements Serializable {
        private static final long serialVersionUID = 5;
        private static final ObjectStreamField[] serialPersistentFields = {
            new ObjectStreamField("elsewhere", int.class), new ObjectStreamField("label", String.class)};
        transient int x = 11;
        private void writeObject(ObjectOutputStream out) throws IOException {
            ObjectOutputStream.PutField f = out.putFields();
            f.put("elsewhere", x);
            f.put("label", "put");
            out.writeFields();
        }
        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            x = in.readFields().get("elsewhere", 0);
        }
        @Override public String toString() { return "put " + x; }
    }

    static class Replaced implements Serializable {
        private static final long serialVersionUID = 6;
        private Object writeReplace() { return new StandIn("by a stand-in"); }
    }

    static class StandIn implements Serializable {
        private static final long serialVersionUID = 7;
        final String how;
        StandIn(String how) { this.how = how; }
        private Object readResolve() { return "resolved " + how; }
    }

    static class Node implements Serializable {
        private static final long serialVersionUID = 8;
        Node next;
        final int n;
        Node(int n) { this.n = n; }
        @Override public String toString() { return "ring " + n + next.n + next.next.n + (next.next.next == this); }
    }

    record Point(int x, String y) implements Serializable {}

    static class Handler implements InvocationHandler, Serializable {
        private static final long serialVersionUID = 9;
        @Override public Object invoke(Object proxy, java.lang.reflect.Method m, Object[] args) {
            return m.getName().equals("toString") ? "proxy" : m.getName().equals("compareTo") ? 42 : null;
        }
    }

    interface Giver extends Supplier<String>, Serializable {}

    static List<Object> all() throws Exception {
        Node a = new Node(1), b = new Node(2), c = new Node(3);
        a.next = b; b.next = c; c.next = a;
        Exception broken = new IllegalStateException("outer", new IOException("cause"));
        broken.addSuppressed(new RuntimeException("suppressed"));
        Object shared = new ArrayList<>(List.of("x"));
        String captured = "captured";
        Giver giver = () -> captured;
        List<Object> all = new ArrayList<>(List.of(
            "", "ascii", "nul \0 é € 😀", "lone \uD83D and \uDE00 reversed", "long ".repeat(13200),
            true, (byte) 1, 'c', (short) 2, 3, 4L, 5.5f, 6.5,
            new boolean[] {true, false}, new byte[] {1, -1}, new char[] {'a', '\uD800'}, new short[] {-1}, new int[] {},
            new long[] {Long.MIN_VALUE}, new float[] {Float.NaN}, new double[] {-0.0},
            new String[] {"a", null, "a"}, new Object[][] {{1, "one"}, null, {}}, new int[][] {{1}, {2, 3}},
            new Child(), new Grandchild(), new Custom(), new Outside("in"), new Put(), new Replaced(), a, new Point(1, "y"),
            Plain.GREEN, Bodied.LOUD, TimeUnit.SECONDS, new EnumMap<>(Map.of(Plain.RED, 1)),
            String.class, int.class, Plain.class, Map.Entry[].class, Comparable.class, Parent.class,
            ObjectStreamClass.lookup(Child.class),
            Proxy.newProxyInstance(Zoo.class.getClassLoader(), new Class<?>[] {Comparable.class, Runnable.class}, new Handler()),
            giver, broken, new Date(12345), new URI("http://example.com/x"), BigInteger.TEN.pow(30), LocalDate.of(2024, 2, 29),
            new TreeMap<>(Map.of("k", 1, "j", 2)), new LinkedHashMap<>(Map.of("one", List.of(1))), new LinkedList<>(List.of(1, 2)),
            new BitSet(), Collections.unmodifiableList(new ArrayList<>(List.of(1))), List.of(1, 2, 3), Map.of("a", "b"),
            new Object[] {shared, shared}, Optional.class, new Locale("de", "AT")));
        all.add(null);
        return all;
    }

    static String show(Object o) {
        if (o instanceof Throwable t)
            return t + " " + (t.getStackTrace().length > 0) + " by " + t.getCause() + " " + Arrays.toString(t.getSuppressed());
        if (o instanceof String s) return s.length() + " " + s.hashCode();
        if (o instanceof Supplier<?> s) return "gives " + s.get();
        if (o instanceof Comparable && Proxy.isProxyClass(o.getClass())) return o + " " + ((Comparable<Object>) o).compareTo(1);
        if (o instanceof Object[] p && p.length == 2 && p[0] instanceof ArrayList) return "shared " + (p[0] == p[1]);
        return (o == null ? "" : o.getClass().getName() + " ") + Arrays.deepToString(new Object[] {o});
    }

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        if (args[0].equals("write")) {
            try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
                out.writeInt(all().size());
                for (Object o : all()) out.writeObject(o);
                out.reset();
                out.writeUTF("after the reset");
                out.writeObject("after the reset");
            }
            return;
        }
        PrintStream stdout = new PrintStream(System.out, true, "UTF-8");
        if (args[0].equals("objects")) {  // just objects, to the end of the file
            try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
                while (true) stdout.println(show(in.readObject()));
            } catch (EOFException end) {
                return;
            }
        }
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
            for (int n = in.readInt(); n > 0; n--) stdout.println(show(in.readObject()));
            stdout.println(in.readUTF() + " " + in.readObject());
        }
    }
}
