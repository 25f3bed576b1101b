package org.opensearch.node;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.opensearch.Version;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/** One node with its HTTP port on 127.0.0.1, in the foreground: TestNode HOME HTTP_PORT TRANSPORT_PORT */
public final class TestNode extends Node {
    private TestNode(Environment environment) {
        super(environment, List.of(onClassPath(Netty4ModulePlugin.class)), true);
    }

    private static PluginInfo onClassPath(Class<?> type) {
        return new PluginInfo(type.getName(), "on the class path", "1", Version.CURRENT, "21", type.getName(), List.of(), false);
    }

    private static Environment environment(Path home, String httpPort, String transportPort) throws Exception {
        for (String name : List.of("config", "data", "logs", "repo", "lib", "modules", "plugins")) {
            Files.createDirectories(home.resolve(name));
        }
        Settings settings = Settings.builder()
            .put("cluster.name", "ringfence-test")
            .put("node.name", "test-1")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", httpPort)
            .put("transport.port", transportPort)
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("path.home", home.toString())
            .put("path.data", home.resolve("data").toString())
            .put("path.logs", home.resolve("logs").toString())
            .putList("path.repo", home.resolve("repo").toString())
            // Disks of developers are often fuller than the watermarks of a cluster allow.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "test-1");
    }

    public static void main(String[] args) throws Exception {
        LogConfigurator.registerErrorListener();
        LogConfigurator.setNodeName("test-1");
        TestNode node = new TestNode(environment(Path.of(args[0]), args[1], args[2]));
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
                node.awaitClose(10, TimeUnit.SECONDS);
            } catch (Exception e) {
                e.printStackTrace();
            }
            closed.countDown();
        }));
        node.start();
        System.out.println("node started");
        closed.await();
    }
}
