package ringfence.testkit;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.mapper.KeywordFieldMapper;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.TextFieldMapper;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.MapperPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestHandler;

/**
 * Replaces modules of the distribution that are not published as artifacts: the REST handlers of data streams and of
 * GET /, three field types (as simpler types), and the index setting of ILM (without effect). The REST handlers call
 * the real server code.
 */
public final class StandIns extends Plugin implements ActionPlugin, MapperPlugin {
    private Cluster cluster;

    @Override
    public Collection<?> createComponents(PluginServices services) {
        cluster = new Cluster(services.clusterService(), services.projectResolver());
        return List.of();
    }

    @Override
    public List<Setting<?>> getSettings() {
        return List.of(Setting.simpleString("index.lifecycle.name", Setting.Property.Dynamic, Setting.Property.IndexScope));
    }

    @Override
    public Map<String, Mapper.TypeParser> getMappers() {
        return Map.of(
            "wildcard", KeywordFieldMapper.PARSER,
            "constant_keyword", KeywordFieldMapper.PARSER,
            "match_only_text", TextFieldMapper.PARSER
        );
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features
    ) {
        return List.of(new RootHandler(cluster), new CreateDataStream(cluster), new ListDataStreams(cluster), new DeleteDataStreams(cluster));
    }
}
