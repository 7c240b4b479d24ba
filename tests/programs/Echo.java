// SPDX-License-Identifier: MIT
import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.*;

/** Echo servers, and a client: Echo blocking|nio PORT, Echo client PORT HOST. */
public class Echo {
	static final int CLIENTS = 20, BYTES = 150000;

	static void copy(Socket socket) {
		try (socket) {
			socket.getInputStream().transferTo(socket.getOutputStream());
		} catch (IOException e) {
			e.printStackTrace();
		}
	}

	static void blocking(int port) throws IOException {
		try (ServerSocket listener = new ServerSocket(port)) {
			while (true) {
				Socket socket = listener.accept();
				new Thread(() -> copy(socket)).start();
			}
		}
	}

	/** One buffer for each connection: it is read into when empty, and written until it is empty again. */
	static void serve(SelectionKey key) throws IOException {
		SocketChannel channel = (SocketChannel) key.channel();
		ByteBuffer buffer = (ByteBuffer) key.attachment();
		if (key.isReadable()) {
			if (channel.read(buffer) < 0) {
				channel.close();
				return;
			}
			buffer.flip();
		}
		channel.write(buffer);
		if (buffer.hasRemaining()) {
			key.interestOps(SelectionKey.OP_WRITE);
		} else {
			buffer.clear();
			key.interestOps(SelectionKey.OP_READ);
		}
	}

	static void nio(int port) throws IOException {
		Selector selector = Selector.open();
		ServerSocketChannel listener = ServerSocketChannel.open();
		listener.bind(new InetSocketAddress(port));
		listener.configureBlocking(false);
		listener.register(selector, SelectionKey.OP_ACCEPT);
		while (true) {
			selector.select();
			for (SelectionKey key : selector.selectedKeys()) {
				if (key.isAcceptable()) {
					SocketChannel channel = listener.accept();
					channel.configureBlocking(false);
					channel.register(selector, SelectionKey.OP_READ, ByteBuffer.allocate(32768));
				} else {
					serve(key);
				}
			}
			selector.selectedKeys().clear();
		}
	}

	static boolean ask(String host, int port, int seed) throws IOException, InterruptedException {
		byte[] data = new byte[BYTES];
		new Random(seed).nextBytes(data);
		try (Socket socket = new Socket(host, port)) {
			Thread sender = new Thread(() -> {
				try {
					socket.getOutputStream().write(data);
					socket.shutdownOutput();
				} catch (IOException e) {
					e.printStackTrace();
				}
			});
			sender.start();
			socket.setSoTimeout(20000);
			boolean same = Arrays.equals(socket.getInputStream().readAllBytes(), data);
			sender.join();
			return same;
		}
	}

	public static void main(String[] words) throws Exception {
		int port = Integer.parseInt(words[1]);
		if (words[0].equals("blocking"))
			blocking(port);
		if (words[0].equals("nio"))
			nio(port);
		for (int i = 0; i < CLIENTS; i++)
			if (!ask(words[2], port, i))
				System.exit(1);
	}
}
