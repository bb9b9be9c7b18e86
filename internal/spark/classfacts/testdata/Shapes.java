import java.io.*;
import java.util.function.Function;

/** Classes of the shapes on which the hash of a class depends. */
public abstract class Shapes implements Serializable, Cloneable, Comparable<Shapes> {
    static final Object MADE_BY_CODE = new Object();
    private static int privateStatic;
    private transient int privateTransient;
    protected transient volatile long shared;
    public final double[] numbers = {};
    int z, a;
    String text;
    Object[][] deep;

    Shapes(int n) {}
    private Shapes() {}
    protected Shapes(String s, Object... more) {}

    public synchronized native void below();
    abstract Object above();
    static strictfp double strict(float f) { return f; }
    private void hidden() {}
    void varargs(int... more) {}
    @Override public int compareTo(Shapes other) { return 0; }  // has a bridge method

    private void writeObject(ObjectOutputStream out) throws IOException { out.defaultWriteObject(); }

    public interface Empty extends Serializable {}
    public interface Full extends Serializable { void does(); int ONE = 1; }
    protected static class Nested implements Empty, Full { @Override public void does() {} }
    private final class Inner extends Nested { Function<Object, Object> lambda = (Function<Object, Object> & Serializable) x -> x; }
    static class Middle extends NotSerializable {}
    static class NotSerializable { int lost; }
    static class Below extends Middle implements Serializable { int kept; }
    static class Declared extends Inherits { private static final long serialVersionUID = 77; }
    static class Inherits extends Below { public int kept; }
    enum Colour { RED { }, GREEN }
    public static class Outside implements Externalizable {
        int unseen;
        @Override public void writeExternal(ObjectOutput out) {}
        @Override public void readExternal(ObjectInput in) {}
    }
    record Point(int x, Object y) implements Serializable {}
}
