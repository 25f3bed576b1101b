package ringfence.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.elasticsearch.grok.Grok;
import org.elasticsearch.grok.GrokBuiltinPatterns;
import org.elasticsearch.grok.PatternBank;

/** Matches each line of stdin, EXPRESSION TAB BASE64, and prints its captures as a line of JSON; null: no match. */
public final class RunGrok {
    private RunGrok() {}

    /** @param args a directory with files of patterns, each line NAME SPACE PATTERN as Logstash reads them */
    public static void main(String[] args) throws IOException {
        PatternBank bank = GrokBuiltinPatterns.ecsV1Patterns().extendWith(read(Path.of(args[0])));
        Map<String, Grok> groks = new HashMap<>();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int tab = line.indexOf('\t');
            Grok grok = groks.computeIfAbsent(line.substring(0, tab), (text) -> new Grok(bank, text, System.err::println));
            byte[] matched = Base64.getDecoder().decode(line.substring(tab + 1));
            Map<String, Object> captures = grok.captures(new String(matched, StandardCharsets.UTF_8));
            out.println(captures == null ? "null" : json(captures));
        }
    }

    private static Map<String, String> read(Path directory) throws IOException {
        Map<String, String> patterns = new HashMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                for (String line : Files.readAllLines(file)) {
                    if (line.isBlank() || line.startsWith("#")) continue;
                    int space = line.indexOf(' ');
                    patterns.put(line.substring(0, space), line.substring(space + 1).strip());
                }
            }
        }
        return patterns;
    }

    private static String json(Map<String, Object> captures) {
        return captures.entrySet().stream()
            .map((capture) -> text(capture.getKey()) + ":" + value(capture.getValue()))
            .collect(Collectors.joining(",", "{", "}"));
    }

    private static String value(Object value) {
        return value instanceof Number ? value.toString() : text(String.valueOf(value));
    }

    private static String text(String value) {
        return value.chars()
            .mapToObj((c) -> c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", c) : String.valueOf((char) c))
            .collect(Collectors.joining("", "\"", "\""));
    }
}
