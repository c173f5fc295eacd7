import java.io.File;
import javax.xml.XMLConstants;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;

/** Validates XML files with the JDK's own validator: {@code java Validate.java SCHEMA FILE...}; prints each fault. */
public class Validate {
    public static void main(String[] arguments) throws Exception {
        Schema schema = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new File(arguments[0]));
        int valid = 0;
        for (int index = 1; index < arguments.length; index++) {
            try {
                schema.newValidator().validate(new StreamSource(new File(arguments[index])));
                valid++;
            } catch (org.xml.sax.SAXException fault) {
                System.out.println(arguments[index] + ": " + fault.getMessage());
            }
        }
        System.out.println("valid=" + valid);
    }
}
