package ringfence.testkit;

import java.util.List;
import org.elasticsearch.ResourceAlreadyExistsException;
import org.elasticsearch.action.admin.indices.create.AutoCreateAction;
import org.elasticsearch.action.admin.indices.create.CreateIndexRequest;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ProjectState;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;

/** PUT /_data_stream/NAME, with the action that the first document of a stream triggers. */
final class CreateDataStream extends BaseRestHandler {
    private final Cluster cluster;

    CreateDataStream(Cluster cluster) {
        this.cluster = cluster;
    }

    @Override
    public String getName() {
        return "testkit_create_data_stream";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.PUT, "/_data_stream/{name}"));
    }

    private void check(String name) {
        ProjectState project = cluster.project();
        if (project.metadata().dataStreams().containsKey(name)) {
            throw new ResourceAlreadyExistsException("data_stream [" + name + "] already exists");
        }
        String template = Cluster.templateOf(project, name);
        if (template == null || project.metadata().templatesV2().get(template).getDataStreamTemplate() == null) {
            throw new IllegalArgumentException("no matching index template found for data stream [" + name + "]");
        }
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String name = request.param("name");
        check(name);
        return channel -> {
            var answer = new RestToXContentListener<AcknowledgedResponse>(channel);
            client.execute(AutoCreateAction.INSTANCE, new CreateIndexRequest(name),
                answer.delegateFailureAndWrap((to, created) -> to.onResponse(AcknowledgedResponse.TRUE)));
        };
    }
}
