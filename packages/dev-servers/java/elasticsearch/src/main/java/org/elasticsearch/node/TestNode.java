package org.elasticsearch.node;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.ClassPathPlugins;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import ringfence.testkit.StandIns;

/** One node with its HTTP port on 127.0.0.1, in the foreground: TestNode HOME HTTP_PORT TRANSPORT_PORT */
public final class TestNode extends Node {
    private static final List<Class<? extends Plugin>> PLUGINS = List.of(Netty4Plugin.class, StandIns.class);

    private TestNode(Environment environment) {
        super(NodeConstruction.prepareConstruction(environment, noFolders(), new NodeServiceProvider() {
            @Override
            PluginsService newPluginService(Environment of, PluginsLoader loader) {
                return new ClassPathPlugins(of, loader, PLUGINS);
            }
        }, true));
    }

    /** There are no directories of modules or plugins to load. */
    private static PluginsLoader noFolders() {
        return PluginsLoader.createPluginsLoader(Set.of(), Set.of(), Map.of(), false);
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
            .put("path.home", home.toString())
            .put("path.data", home.resolve("data").toString())
            .put("path.logs", home.resolve("logs").toString())
            .putList("path.repo", home.resolve("repo").toString())
            // Disks of developers are often fuller than the watermarks of a cluster allow.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        return new Environment(settings, home.resolve("config"));
    }

    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
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
