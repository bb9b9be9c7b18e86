import java.io.*;
import java.util.*;

/** Prints what this JVM knows of the classes named on its command line (or, with "-", on its standard
 *  input), in the form that classfacts writes. */
public class Facts {
    public static void main(String[] args) throws Exception {
        List<String> names = new ArrayList<>(List.of(args));
        if (names.equals(List.of("-"))) {
            names = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        }
        for (String name : new TreeSet<>(names)) {
            Class<?> c = Class.forName(name, false, Facts.class.getClassLoader());
            ObjectStreamClass d = ObjectStreamClass.lookup(c);
            if (d == null) {
                System.out.println(name + " 0 - -");
                continue;
            }
            Class<?> up = c.getSuperclass();
            while (up != null && ObjectStreamClass.lookup(up) == null) up = up.getSuperclass();
            System.out.println(name + " " + d.getSerialVersionUID() + " " + flags(c) + " " + (up == null ? "-" : up.getName()));
            if (Externalizable.class.isAssignableFrom(c)) continue;
            for (ObjectStreamField f : d.getFields()) {
                System.out.println("\t" + f.getName() + " " + (f.isPrimitive() ? String.valueOf(f.getTypeCode()) : f.getTypeString()));
            }
        }
    }

    static String flags(Class<?> c) {
        if (Enum.class.isAssignableFrom(c)) return "se";
        if (Externalizable.class.isAssignableFrom(c)) return "xb";
        for (var m : c.getDeclaredMethods()) {
            if (m.getName().equals("writeObject") && java.lang.reflect.Modifier.isPrivate(m.getModifiers())
                && Arrays.equals(m.getParameterTypes(), new Class<?>[] {ObjectOutputStream.class})) return "sw";
        }
        return "s";
    }
}
