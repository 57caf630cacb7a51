import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.util.Terser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Sends HL7 v2 messages over MLLP, by HAPI, and says what is answered.
 *
 * usage: Sender PORT plain|tls TIMEOUT_MS. Each line that it reads is a message, its \r written as
 * {@literal \r}; to each it says one line: the acknowledgement's code, the id that it is about, and the
 * error code, with spaces; or "failed" and why, after which the next message has a new connection. */
public class Sender {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        boolean tls = arguments[1].equals("tls");
        long timeoutMs = Long.parseLong(arguments[2]);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        HapiContext context = new DefaultHapiContext();
        Connection connection = null;
        String line;
        while ((line = lines.readLine()) != null) {
            try {
                Message message = context.getPipeParser().parse(line.replace("\\r", "\r"));
                if (connection == null || !connection.isOpen()) {
                    connection = context.newClient("127.0.0.1", port, tls);
                    connection.getInitiator().setTimeout(timeoutMs, TimeUnit.MILLISECONDS);
                }
                Message answer = connection.getInitiator().sendAndReceive(message);
                Terser fields = new Terser(answer);
                String error = answer.printStructure().contains("ERR")
                    ? fields.get("/ERR-3-1") : null;
                System.out.println(fields.get("/MSA-1") + " " + fields.get("/MSA-2") + " " + error);
            } catch (Exception failure) {
                System.out.println("failed " + failure.toString().replace('\n', ' '));
                if (connection != null)
                    connection.close();
                connection = null;
            }
        }
        context.close();
        System.exit(0);
    }
}
