## builds with Java
#desc a developer or build server with Java: javac, jar, tests, a server with requests, and Maven if its repository is present
#in host
#in maven:3.9
#needs javac
export HOME=/home/ann; cd /home/ann; mkdir -p app/src/main/java/lab app/src/test/java/lab
for n in $(seq 1 40); do printf 'package lab;\npublic class C%d { public static int f(int n) { return n + %d; } }\n' $n $n > app/src/main/java/lab/C$n.java; done
cat > app/src/main/java/lab/Main.java <<'J'
package lab;
import com.sun.net.httpserver.HttpServer;
import java.net.*;
import java.nio.file.*;
public class Main {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 8085), 0);
    server.createContext("/", (x) -> { byte[] b = Files.readAllBytes(Path.of("/etc/hostname")); x.sendResponseHeaders(200, b.length); x.getResponseBody().write(b); x.close(); });
    server.start();
    for (int n = 0; n < 60; n++) { try (var in = new URL("http://127.0.0.1:8085/").openStream()) { in.readAllBytes(); } Files.writeString(Path.of("/tmp/out" + n % 10), "x" + C1.f(n)); }
    Process p = new ProcessBuilder("git", "--version").start(); p.waitFor();
    server.stop(0);
  }
}
J
javac -d app/classes app/src/main/java/lab/*.java; jar --create --file app/app.jar --main-class lab.Main -C app/classes .; java -jar app/app.jar; jar tf app/app.jar | wc -l; java -XX:+UseSerialGC -cp app/classes lab.Main & p=$!; sleep 1; jcmd $p VM.version; wait $p
keytool -genkeypair -alias lab -keyalg RSA -dname CN=lab -storepass secret -keystore app/keys.p12; jarsigner -keystore app/keys.p12 -storepass secret app/app.jar lab
printf '<project><modelVersion>4.0.0</modelVersion><groupId>lab</groupId><artifactId>app</artifactId><version>1</version><properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target></properties></project>' > app/pom.xml
if [ -d /opt/engine/m2 ]; then cp -r /opt/engine/m2 /home/ann/m2; (cd app && mvn -o -q -Dmaven.repo.local=/home/ann/m2 package); fi
