package ringfence.testkit;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.ProjectState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataDeleteIndexService;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.Index;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;

/** DELETE /_data_stream/NAMES, with their indices. */
final class DeleteDataStreams extends BaseRestHandler {
    private final Cluster cluster;

    DeleteDataStreams(Cluster cluster) {
        this.cluster = cluster;
    }

    @Override
    public String getName() {
        return "testkit_delete_data_streams";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.DELETE, "/_data_stream/{name}"));
    }

    private ClusterState without(ClusterState current, String names) {
        ProjectState project = current.projectState(cluster.resolver().getProjectId());
        Map<String, DataStream> streams = Cluster.streams(project, names);
        Set<Index> indices = new HashSet<>();
        for (DataStream stream : streams.values()) {
            indices.addAll(stream.getIndices());
            indices.addAll(stream.getFailureIndices());
        }
        ClusterState rest = project.updatedState(builder -> streams.keySet().forEach(builder::removeDataStream));
        return MetadataDeleteIndexService.deleteIndices(rest.projectState(project.projectId()), indices, Settings.EMPTY);
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String names = request.param("name");
        return channel -> {
            var answer = new RestToXContentListener<AcknowledgedResponse>(channel);
            cluster.service().submitUnbatchedStateUpdateTask("delete data streams " + names, new ClusterStateUpdateTask() {
                @Override
                public ClusterState execute(ClusterState current) {
                    return without(current, names);
                }

                @Override
                public void onFailure(Exception e) {
                    answer.onFailure(e);
                }

                @Override
                public void clusterStateProcessed(ClusterState before, ClusterState after) {
                    answer.onResponse(AcknowledgedResponse.TRUE);
                }
            });
        };
    }
}
